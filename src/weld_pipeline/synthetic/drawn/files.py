"""Drawn files: path and bytes of each, and the note in it that it is drawn."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from weld_pipeline.core.files import content_key
from weld_pipeline.core.items.pending import Execution, Item, PendingItems

# The file itself tells readers that know nothing of this program that no camera recorded it.
PROVENANCE = "drawn by weld-pipeline; not a recording of a real weld"


@dataclass(frozen=True)
class FilePlan:
    """A file that can be drawn at any time, in any process.

    Attributes:
        path: Path relative to the root of the drawn set.
    """

    path: str
    make: Callable[[], bytes]


def pending_files(
    files: Iterable[tuple[FilePlan, object]], *, version: int, label: str, n_workers: int
) -> PendingItems[FilePlan, bytes]:
    """Return files as work to be done, in order.

    Args:
        files: Files with their recipes, which JSON can hold; equal recipes give equal bytes.
        version: Part of every content key; raise it when the same recipe would give other bytes.
    """
    items = [Item(plan.path, content_key(version, plan.path, recipe), plan) for plan, recipe in files]
    return PendingItems(_draw_worker, items, label, Execution(n_workers=n_workers))


def _draw_worker() -> Callable[[FilePlan], bytes]:
    return _draw


def _draw(plan: FilePlan) -> bytes:
    return plan.make()
