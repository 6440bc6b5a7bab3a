"""The `weld` command: what is done outside a Kedro run."""

import sys
from collections.abc import Callable, Sequence
from copy import copy
from functools import wraps
from typing import Any

import click
import typer
from typer.core import TyperGroup

from weld_pipeline.core.errors import WeldError


class _SayErrors(TyperGroup):
    """A command group that prints a `WeldError` as one line and exits with 2; a defect of ours keeps its traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        try:
            return super().main(args, *rest, **options)
        except WeldError as error:
            print(f"weld: {error}", file=sys.stderr)
            raise SystemExit(2) from None


app = typer.Typer(
    cls=_SayErrors,
    help="Inspect welds, evaluate predictions, look into bundles and checkpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _ProjectCommands(click.Group):
    """Kedro's own `run`, which says a user's mistake in one line; Kedro is imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return ["run"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name != "run":
            return None
        from kedro.framework.cli.project import run

        command = copy(run)
        command.callback = _readable(run.callback)
        return command


def _readable(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    assert callback is not None  # click allows a command without one; Kedro's run has it

    @wraps(callback)
    def run(*args: Any, **options: Any) -> Any:
        from kedro.io import DatasetError

        try:
            return callback(*args, **options)
        except WeldError as error:
            raise click.ClickException(str(error)) from error
        except DatasetError as error:  # Kedro wraps what a dataset raises
            if isinstance(error.__cause__, WeldError):
                raise click.ClickException(str(error.__cause__)) from error
            raise

    return run


cli = _ProjectCommands("Project commands")  # the name Kedro looks for

if __name__ == "__main__":
    app()
