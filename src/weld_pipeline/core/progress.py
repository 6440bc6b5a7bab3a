"""Progress bar of all long work."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")


def track(values: Iterable[T], *, label: str, total: int | None = None) -> Iterator[T]:
    """Yield `values` while a bar on stderr counts them; where stderr is no terminal, nothing is drawn."""
    from rich.console import Console  # noqa: PLC0415 - stdout carries JSON at the doors, so the bar has a console of its own

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield from progress.track(values, description=label, total=total)
