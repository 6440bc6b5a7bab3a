"""Runner: steps beside each other in threads, but those that run networks one by one."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from kedro import runner
from kedro.runner.task import Task

# Steps that run networks. They share torch's random numbers, and tracing one network changes how all modules are called
# meanwhile (torch.fx); each uses every core by itself, so taking turns costs little.
_ONE_BY_ONE = {"feature_extraction", "training", "calibration", "export", "inspection"}


class ThreadRunner(runner.ThreadRunner):
    """Kedro's runner in threads, with the results of a sequential run."""

    def _get_executor(self, max_workers: int) -> Executor:
        return _Threads(max_workers)


class _Threads(ThreadPoolExecutor):
    """Threads of which one at a time runs a network; the others wait for their turn."""

    def __init__(self, max_workers: int) -> None:
        super().__init__(max_workers)
        self._turn = Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if isinstance(fn, Task) and fn.node.tags & _ONE_BY_ONE:
            return super().submit(self._in_turn, fn)
        return super().submit(fn, *args, **kwargs)

    def _in_turn(self, task: Task) -> Any:
        with self._turn:
            return task()
