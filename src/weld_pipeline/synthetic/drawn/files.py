"""Drawn files: what each is called, how it comes to be, and that it says of itself that it is drawn."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from weld_pipeline.core.files import content_key
from weld_pipeline.core.items.pending import Execution, Item, PendingItems

# Readers that know nothing of this program still learn from the file itself that no camera made it.
PROVENANCE = "drawn by weld-pipeline; not a recording of a real weld"


@dataclass(frozen=True)
class FilePlan:
    """One file that can be made at any time, in any process.

    Attributes:
        path: Relative to the root of what is drawn.
        make: Returns its bytes.
    """

    path: str
    make: Callable[[], bytes]


def pending_files(
    files: Iterable[tuple[FilePlan, object]], *, version: int, label: str, n_workers: int
) -> PendingItems[FilePlan, bytes]:
    """Return files as work to be done, in order.

    Args:
        files: Each with its recipe, any value JSON can hold: equal recipes give equal bytes.
        version: Part of every content key; raised when the same recipe would give other bytes.
        label: What the progress bar says.
        n_workers: Processes to draw on.
    """
    items = [Item(plan.path, content_key(version, plan.path, recipe), plan) for plan, recipe in files]
    return PendingItems(_draw_worker, items, label, Execution(n_workers=n_workers))


def _draw_worker() -> Callable[[FilePlan], bytes]:
    return _draw


def _draw(plan: FilePlan) -> bytes:
    return plan.make()
