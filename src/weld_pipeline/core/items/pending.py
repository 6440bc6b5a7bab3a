"""Pending items: work described item by item, each with a content key.

A node that has thousands of files to read returns `PendingItems`. The dataset that saves them calls `map_items` with a
store: each finished item is written at once, and an item whose key the store already holds is not done again. No node
knows which engine runs the work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

Payload = TypeVar("Payload")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Item(Generic[Payload]):
    """One piece of work.

    Attributes:
        id: Stable name, unique in its collection.
        key: Content key of everything the result depends on: input bytes, parameters, weights, code version.
        payload: Argument of the worker; it must pickle when `n_workers` > 1.
    """

    id: str
    key: str
    payload: Payload


@dataclass(frozen=True)
class Execution:
    """Settings of how items are run.

    Attributes:
        engine: `local` runs on this machine.
        n_workers: Number of processes, of one thread each. 1 runs in the calling process, which suits work that uses
            every core itself, as torch does.
    """

    engine: Literal["local"] = "local"
    n_workers: int = 1


@dataclass(frozen=True)
class PendingItems(Generic[Payload, Result]):
    """Work described but not done.

    Attributes:
        worker_factory: Function that returns the worker; each process that has something to do calls it once.
        label: Text of the progress bar.
    """

    worker_factory: Callable[[], Callable[[Payload], Result]]
    items: Sequence[Item[Payload]]
    label: str
    execution: Execution = field(default_factory=Execution)


@runtime_checkable
class ItemStore(Protocol):
    """Store of finished items; `weld_pipeline.core.stores` has the kinds."""

    def key_of(self, item_id: str) -> str | None:
        """Return the content key under which the item was stored, or None."""

    def write(self, item_id: str, key: str, result: Any) -> None:
        """Store one result atomically under its key."""
