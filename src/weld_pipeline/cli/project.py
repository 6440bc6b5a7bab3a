"""What Kedro's command line takes from this project."""

import traceback
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import settings
from kedro.runner import ParallelRunner, ThreadRunner
from kedro.utils import load_obj
from kedro.validation.exceptions import ParameterValidationError

from weld_pipeline.cli.failures import one_line
from weld_pipeline.cli.stops import Stopped, stops_raise

# Where Kedro refuses names of pipelines, nodes and tags that it does not know, with a ValueError.
_REFUSING = ("kedro.framework.session.session", "kedro.pipeline.pipeline")


class _ProjectCommands(click.Group):
    """Kedro's own `run`, which says a user's mistake in one line and ends its MLflow runs when it is stopped."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return ["run"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name != "run":
            return None
        command = copy(kedro_run)
        command.callback = _readable(kedro_run.callback)
        return command


def _readable(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    assert callback is not None  # click allows a command without one; Kedro's run has it

    @wraps(callback)
    def run(*args: Any, runner: str | None = None, **options: Any) -> Any:
        name = _our_runner(runner)
        try:
            with stops_raise(_end_runs):
                return callback(*args, runner=name, **options)
        except Stopped as stopped:
            raise SystemExit(stopped.exit_code) from None
        except Exception as error:
            if message := _message(error):
                raise click.ClickException(message) from error
            raise

    return run


def _our_runner(name: str | None) -> str | None:
    """Return the runner to be used; Kedro's own in threads is replaced by ours, which runs networks one by one.

    One that is not there is refused, and one whose processes would not tell MLflow what they do.
    """
    advice = "ThreadRunner runs steps beside each other, SequentialRunner one by one"
    try:
        kind = load_obj(name or "SequentialRunner", "kedro.runner")
    except (AttributeError, ImportError, ValueError):
        raise click.ClickException(f"runner {name}: there is none of this name; {advice}") from None
    if isinstance(kind, type) and issubclass(kind, ParallelRunner):
        raise click.ClickException(f"runner {name}: its processes would not record their steps in MLflow; {advice}")
    return "weld_pipeline.runners.ThreadRunner" if kind is ThreadRunner else name


def _end_runs(stopped: Stopped) -> None:
    """End the MLflow runs of this command as killed, and say so."""
    for hooks in settings.HOOKS:
        if hasattr(hooks, "end"):
            hooks.end("KILLED")
    click.echo(
        f"Stopped by {stopped}: what is finished is kept, and the same command goes on from there; MLflow calls this run KILLED.",
        err=True,
    )


def _message(error: Exception) -> str | None:
    if isinstance(error, ParameterValidationError) or (
        isinstance(error, ValueError) and _raised_in(error) in _REFUSING
    ):
        return str(error)
    return one_line(error)


def _raised_in(error: Exception) -> str:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals["__name__"])


cli = _ProjectCommands("Project commands")  # the name Kedro looks for
