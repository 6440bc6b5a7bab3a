"""Read-ahead: a thread fetches the next values while one is in use."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def read_ahead(values: Iterator[T], *, depth: int = 1) -> Iterator[T]:
    """Yield `values` in order, while one thread fetches the next `depth` of them.

    >>> list(read_ahead(iter("abc"), depth=2))
    ['a', 'b', 'c']
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        # A list of one value or none, because the end must differ from every value.
        coming = deque(reader.submit(lambda: list(islice(values, 1))) for _ in range(depth))
        while found := coming.popleft().result():
            coming.append(reader.submit(lambda: list(islice(values, 1))))
            yield found[0]
