"""Local execution: items in this process, or in a pool of processes on this machine."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any

from loky import ProcessPoolExecutor

from weld_pipeline.core.foreign_warnings import ignore_foreign_warnings
from weld_pipeline.core.items.pending import Item, PendingItems

# Each process works on an item of its own; more threads in one would slow down the others.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}

_worker: Callable[[Any], Any] | None = None


def _start_worker(worker_factory: Callable[[], Callable[[Any], Any]]) -> None:
    global _worker  # noqa: PLW0603 - one worker a process: a network is built once, not once an item
    ignore_foreign_warnings()
    _worker = worker_factory()


def _work(payload: Any) -> Any:
    assert _worker is not None
    return _worker(payload)


def in_process(pending: PendingItems[Any, Any], missing: Sequence[Item[Any]]) -> Iterator[Any]:
    """Yield the result of each item, worked on in the calling process."""
    worker = pending.worker_factory()
    for item in missing:
        yield worker(item.payload)


def in_pool(pending: PendingItems[Any, Any], missing: Sequence[Item[Any]], n_workers: int) -> Iterator[Any]:
    """Yield the result of each item, in order; no more than a few wait in memory."""
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
