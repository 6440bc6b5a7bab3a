"""A user's mistake as one line."""

import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from weld_pipeline.core.errors import WeldError


class SayErrors(TyperGroup):
    """A command group that prints a `WeldError` as one line and exits with 2; a defect of ours keeps its traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        try:
            return super().main(args, *rest, **options)
        except WeldError as error:
            print(f"weld: {error}", file=sys.stderr)
            raise SystemExit(2) from None
