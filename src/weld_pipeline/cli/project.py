"""What Kedro's command line takes from this project."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from weld_pipeline.core.errors import WeldError


class _ProjectCommands(click.Group):
    """Kedro's own `run`, which says a user's mistake in one line."""

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
    def run(*args: Any, **options: Any) -> Any:
        try:
            return callback(*args, **options)
        except (WeldError, ParameterValidationError) as error:
            raise click.ClickException(str(error)) from error
        except DatasetError as error:
            cause: BaseException | None = error
            while isinstance(cause, DatasetError):  # the catalog wraps what a dataset wraps
                cause = cause.__cause__
            if isinstance(cause, WeldError):
                raise click.ClickException(str(cause)) from error
            raise

    return run


cli = _ProjectCommands("Project commands")  # the name Kedro looks for
