"""Many pictures, those of one size judged together while the next are read."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from weld_pipeline.runtime.image_reader import PictureBytes, ReadPicture, read_ahead
from weld_pipeline.runtime.verdicts import NotInspected

V = TypeVar("V")


def judge_each(
    pictures: Iterable[Path | str | PictureBytes | NotInspected], judge: Callable[[Sequence[ReadPicture]], list[V]]
) -> Iterator[tuple[ReadPicture, V] | NotInspected]:
    """Yield each picture with its verdict, in order, as they are made.

    The next pictures are decoded while some are judged. One that cannot be used does not lose the others: in its place
    stands a `NotInspected` that says why.

    Args:
        pictures: Files, bytes of files, or entries of `find_files`.
        judge: Returns a verdict a picture of pictures that are all of one size.
    """
    for chunk in read_ahead(Path(each) if isinstance(each, str) else each for each in pictures):
        yield from _judged(chunk, judge)


def _judged(
    chunk: Sequence[ReadPicture | NotInspected], judge: Callable[[Sequence[ReadPicture]], list[V]]
) -> Iterator[tuple[ReadPicture, V] | NotInspected]:
    by_size: dict[tuple[int, ...], list[ReadPicture]] = defaultdict(list)
    for entry in chunk:
        if isinstance(entry, ReadPicture):
            by_size[entry.pixels.shape].append(entry)
    verdicts = {shape: iter(judge(alike)) for shape, alike in by_size.items()}
    for entry in chunk:
        yield entry if isinstance(entry, NotInspected) else (entry, next(verdicts[entry.pixels.shape]))
