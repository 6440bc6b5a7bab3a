"""The `weld` command: what is done outside a Kedro run."""

import sys
from collections.abc import Sequence
from typing import Any

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

if __name__ == "__main__":
    app()
