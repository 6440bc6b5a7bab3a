"""A user's mistake as one line, Ctrl-C too."""

import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from weld_pipeline.cli.failures import one_line
from weld_pipeline.cli.stops import Stopped
from weld_pipeline.core.foreign_warnings import ignore_foreign_warnings


class SayErrors(TyperGroup):
    """A command group that prints a user's mistake as one line and exits with 2; a defect of ours keeps its traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        ignore_foreign_warnings()
        try:
            return super().main(args, *rest, **options)
        except Exception as error:
            if not (message := one_line(error)):
                raise
            print(f"weld: {message}", file=sys.stderr)
            raise SystemExit(2) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:  # Typer would print a frame and exit with 1
            how, code = (str(stop), stop.exit_code) if isinstance(stop, Stopped) else ("Ctrl-C", 130)
            print(f"weld: stopped by {how}", file=sys.stderr)
            raise SystemExit(code) from None
