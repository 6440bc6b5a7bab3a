"""Screen: what Kedro's command line shows of a run, and how soon it answers."""

import logging
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import click
from rich.console import Console
from rich.logging import RichHandler

# What is left out below a warning: Kedro's messages of each load and save, the plugin's of its configuration.
_CHATTER = ("kedro.io", "kedro.framework", "kedro_mlflow")
# What is left out whole: each step's name, which `hooks.StoryHooks` tells, its error, which the last line tells, how to go
# on, which the same command does, and why Kedro-Viz shows no times of a run of a part.
_ECHOES = ("kedro.pipeline", "kedro.runner", "weld_pipeline.runners", "kedro_viz.integrations.kedro.run_hooks")
_MLFLOW_COMMANDS = "kedro_mlflow.framework.cli.cli"


def show_the_story() -> None:
    """Leave Kedro's chatter out of the terminal, and columns out of what is no terminal; run.log keeps every message."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, RichHandler) and not handler.console.is_terminal:
            root.removeHandler(handler)
            root.addHandler(_PlainLines(handler.console))
    for handler in root.handlers:
        if isinstance(handler, (RichHandler, _PlainLines)):
            handler.addFilter(_is_story)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # MLflow sets its own, above it, to INFO


class _PlainLines(logging.Handler):
    """A line a message, for files and pipes; rich would break it and fill it up with blanks."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=self._console.file, flush=True)
        except (OSError, ValueError):
            self.handleError(record)


def _is_story(record: logging.LogRecord) -> bool:
    return not record.name.startswith(_ECHOES if record.levelno >= logging.WARNING else _CHATTER + _ECHOES)


class _LateCommands(click.Group):
    """The plugin's commands, imported when one of them, or the help that lists them, is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return ["mlflow"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "mlflow":
            return None
        commands: click.Group = _really(_MLFLOW_COMMANDS).commands
        return commands.get_command(ctx, cmd_name)


def load_mlflow_commands_late() -> None:
    """Keep `kedro`, whatever it was asked, from importing MLflow for the commands of a plugin.

    Kedro imports the command lines of all plugins before it looks which one is meant; this one takes a second. A module of
    the same name stands where Python looks first, and steps aside when anything but its commands is asked of it.
    """
    if _MLFLOW_COMMANDS not in sys.modules:
        stand_in = ModuleType(_MLFLOW_COMMANDS)
        stand_in.commands = _LateCommands("Mlflow")  # type: ignore[attr-defined]
        stand_in.__getattr__ = _of_the_real(_MLFLOW_COMMANDS)  # type: ignore[method-assign]
        sys.modules[_MLFLOW_COMMANDS] = stand_in


def _of_the_real(name: str) -> Callable[[str], object]:
    def get(attribute: str) -> object:
        if attribute.startswith("__"):  # asked of every module by whoever goes through all of them, as `inspect` does
            raise AttributeError(attribute)
        return getattr(_really(name), attribute)

    return get


def _really(name: str) -> ModuleType:
    if isinstance(getattr(sys.modules.get(name), "commands", None), _LateCommands):
        del sys.modules[name]
    return import_module(name)
