"""Reading beside the network: a thread fetches what comes next while one thing is worked on."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(values: Iterator[T], *, depth: int = 1) -> Iterator[T]:
    """Yield `values` in order, the next `depth` of them already being made in one thread.

    >>> list(read_ahead(iter("abc"), depth=2))
    ['a', 'b', 'c']
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        # A list of one or of none, because the end must be told from every value.
        coming = deque(reader.submit(lambda: list(_first(values))) for _ in range(depth))
        while found := coming.popleft().result():
            coming.append(reader.submit(lambda: list(_first(values))))
            yield found[0]


def _first(values: Iterator[T]) -> Iterator[T]:
    for value in values:
        yield value
        return
