"""Mapping: pending items are worked on and stored, those that a store holds already are kept."""

from dataclasses import dataclass
from typing import Any

from weld_pipeline.core.items import local
from weld_pipeline.core.items.pending import ItemStore, PendingItems
from weld_pipeline.core.progress import track


@dataclass(frozen=True)
class MapReport:
    """Counts of a call of `map_items`.

    Attributes:
        n_done: Number of items worked on in this call.
        n_kept: Number of items that were finished before.
    """

    n_done: int
    n_kept: int


def map_items(pending: PendingItems[Any, Any], store: ItemStore) -> MapReport:
    """Work on the items that `store` lacks or holds under another key, and store their results.

    Results are written in the order of the items, as they come; no more than a few wait in memory.

    Raises:
        Exception: Whatever the worker raises, after the items before it were stored.
    """
    missing = [item for item in pending.items if store.key_of(item.id) != item.key]
    report = MapReport(n_done=len(missing), n_kept=len(pending.items) - len(missing))
    if not missing:
        return report
    n_workers = min(pending.execution.n_workers, len(missing))
    results = local.in_process(pending, missing) if n_workers == 1 else local.in_pool(pending, missing, n_workers)
    for item, result in zip(missing, track(results, label=pending.label, total=len(missing)), strict=True):
        store.write(item.id, item.key, result)
    return report
