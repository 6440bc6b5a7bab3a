"""Progress bar of all long work."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def track(values: Iterable[T], *, label: str, total: int | None = None) -> Iterator[T]:
    """Yield `values` while a bar on stderr counts them; where stderr is no terminal, nothing is drawn."""
    if sys.stderr.isatty():
        yield from _with_bar(values, label=label, total=total)
    else:
        yield from values


def _with_bar(values: Iterable[T], *, label: str, total: int | None) -> Iterator[T]:
    from rich.console import Console  # noqa: PLC0415 - stdout carries JSON at the doors, so the bar has a console of its own
    from rich.progress import (  # noqa: PLC0415 - where no bar is drawn, nobody waits for its parts
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(values, description=label, total=total)
