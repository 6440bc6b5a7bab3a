"""The one seam for work done item by item: streamed, keyed, resumable.

A node that has thousands of files to read returns `PendingItems`, a description of the work. Whoever saves it
calls `map_items` with a store: each finished item is written at once, and an item whose key the store already
holds is not done again. No node knows which engine runs the work.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from loky import ProcessPoolExecutor

from weld_pipeline.core.progress import track

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


@dataclass(frozen=True)
class MapReport:
    """What a call of `map_items` did.

    Attributes:
        n_done: Items worked on in this call.
        n_kept: Items found finished.
    """

    n_done: int
    n_kept: int


# Each process has an item of its own; threads within one would only get in the others' way.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}

_worker: Callable[[Any], Any] | None = None


def _start_worker(worker_factory: Callable[[], Callable[[Any], Any]]) -> None:
    global _worker  # noqa: PLW0603 - one worker a process is the point: a network is built once, not once an item
    _worker = worker_factory()


def _work(payload: Any) -> Any:
    assert _worker is not None
    return _worker(payload)


def map_items(pending: PendingItems[Any, Any], store: ItemStore) -> MapReport:
    """Bring `store` to hold every pending item, doing only what is missing or has another key.

    Results are written in the order of the items, as they come; no more than a few wait in memory.

    Raises:
        Exception: Whatever the worker raises, after the items before it were stored.
    """
    missing = [item for item in pending.items if store.key_of(item.id) != item.key]
    report = MapReport(n_done=len(missing), n_kept=len(pending.items) - len(missing))
    if not missing:
        return report
    n_workers = min(pending.execution.n_workers, len(missing))
    results = _in_process(pending, missing) if n_workers == 1 else _in_pool(pending, missing, n_workers)
    for item, result in zip(missing, track(results, label=pending.label, total=len(missing)), strict=True):
        store.write(item.id, item.key, result)
    return report


def _in_process(pending: PendingItems[Any, Any], missing: Sequence[Item[Any]]) -> Iterator[Any]:
    worker = pending.worker_factory()
    for item in missing:
        yield worker(item.payload)


def _in_pool(pending: PendingItems[Any, Any], missing: Sequence[Item[Any]], n_workers: int) -> Iterator[Any]:
    # Loky's processes are neither forked (a child would inherit the locks of torch's and FFmpeg's threads) nor started
    # with the command line's own imports, which cost Kedro's seconds in every one.
    start = {"initializer": _start_worker, "initargs": (pending.worker_factory,), "env": _ONE_THREAD}
    with ProcessPoolExecutor(n_workers, **start) as pool:
        queue = iter(missing)
        running: deque[Future[Any]] = deque(pool.submit(_work, item.payload) for item in islice(queue, 4 * n_workers))
        while running:
            result = running.popleft().result()
            for item in islice(queue, 1):
                running.append(pool.submit(_work, item.payload))
            yield result
