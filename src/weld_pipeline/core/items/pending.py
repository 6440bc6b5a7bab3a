"""Items that are pending: work done one by one, streamed, keyed, resumable.

A node that has thousands of files to read returns `PendingItems`, a description of the work. Whoever saves it
calls `map_items` with a store: each finished item is written at once, and an item whose key the store already
holds is not done again. No node knows which engine runs the work.
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
        payload: What the worker gets; must pickle when `n_workers` > 1.
    """

    id: str
    key: str
    payload: Payload


@dataclass(frozen=True)
class Execution:
    """How items are run.

    Attributes:
        engine: `local` runs on this machine.
        n_workers: Processes, of one thread each; 1 runs in the calling process, which is right where torch uses every core
            itself.
    """

    engine: Literal["local"] = "local"
    n_workers: int = 1


@dataclass(frozen=True)
class PendingItems(Generic[Payload, Result]):
    """Work described but not done.

    Attributes:
        worker_factory: Called once in each process that has something to do; returns the worker.
        items: The work, in order.
        label: What the progress bar says.
        execution: How to run it.
    """

    worker_factory: Callable[[], Callable[[Payload], Result]]
    items: Sequence[Item[Payload]]
    label: str
    execution: Execution = field(default_factory=Execution)


@runtime_checkable
class ItemStore(Protocol):
    """Where finished items lie; `weld_pipeline.core.stores` has the kinds."""

    def key_of(self, item_id: str) -> str | None:
        """Return the content key under which the item was stored, or None."""

    def write(self, item_id: str, key: str, result: Any) -> None:
        """Store one result atomically under its key."""
