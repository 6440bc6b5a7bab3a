"""Stops: Ctrl-C, SIGTERM and a closed terminal as one exception, which ends a command soon and with the usual exit code."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Ways to be asked to stop, and what a person calls them.
_SIGNALS = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "a closed terminal"}
# Time until a command ends that waits for threads of its own, as a ThreadRunner does for its nodes.
_GRACE_S = 5.0


class Stopped(KeyboardInterrupt):
    """A request to stop; `exit_code` is 128 + the signal's number, as shells have it."""

    def __init__(self, number: int) -> None:
        super().__init__(_SIGNALS[signal.Signals(number).name])
        self.exit_code = 128 + number


@contextmanager
def stops_raise(tidy: Callable[[Stopped], None] | None = None) -> Iterator[None]:
    """Raise `Stopped` in the block when the process is asked to stop; a signal that is ignored (`nohup`) stays ignored.

    Args:
        tidy: What is to be done before the process ends. It is called when the exception leaves the block or, where
            threads hold that up, a few seconds after the signal, in a thread; then the process ends at once. Without it
            the block does its own tidying and takes the time that it needs.
    """
    once, left = _Once(tidy or _nothing), threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is signal's
        for heard in before:
            signal.signal(heard, signal.SIG_IGN)  # whoever asks twice is not to interrupt the tidying
        stopped = Stopped(number)
        if tidy:
            threading.Thread(target=_end_soon, args=(stopped, once, left), daemon=True).start()
        raise stopped

    before = {number: signal.signal(number, stop) for number in _heard()}
    try:
        yield
    except Stopped as stopped:
        once(stopped)
        raise
    finally:
        left.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _nothing(stopped: Stopped) -> None:
    pass


class _Once:
    """A function that is called once, whichever thread comes first; the other waits for it."""

    def __init__(self, function: Callable[[Stopped], None]) -> None:
        self._function, self._is_done, self._lock = function, False, threading.Lock()

    def __call__(self, stopped: Stopped) -> None:
        with self._lock:
            if not self._is_done:
                self._is_done = True
                self._function(stopped)


def _heard() -> list[int]:
    """Return the signals that are there and not ignored; only the main thread may hear any."""
    if threading.current_thread() is not threading.main_thread():
        return []
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _end_soon(stopped: Stopped, tidy: Callable[[Stopped], None], left: threading.Event) -> None:
    if left.wait(_GRACE_S):
        return
    tidy(stopped)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(stopped.exit_code)
