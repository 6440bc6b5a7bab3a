"""Batches: many images, those of one size judged together while the next are read."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from weld_pipeline.runtime.image_reader import ImageBytes, ReadImage, read_ahead
from weld_pipeline.runtime.verdicts import NotInspected

V = TypeVar("V")


def judge_each(
    images: Iterable[Path | str | ImageBytes | NotInspected], judge: Callable[[Sequence[ReadImage]], list[V]]
) -> Iterator[V | NotInspected]:
    """Yield a verdict an image, in order, as they are made.

    The next images are decoded while some are judged. One that cannot be used does not lose the others: in its place
    stands a `NotInspected` that says why.

    Args:
        images: Files, bytes of files, or entries of `find_files`.
        judge: Returns a verdict an image of images that are all of one size.
    """
    for chunk in read_ahead(Path(each) if isinstance(each, str) else each for each in images):
        yield from _judged(chunk, judge)


def _judged(
    chunk: Sequence[ReadImage | NotInspected], judge: Callable[[Sequence[ReadImage]], list[V]]
) -> Iterator[V | NotInspected]:
    by_size: dict[tuple[int, ...], list[ReadImage]] = defaultdict(list)
    for entry in chunk:
        if isinstance(entry, ReadImage):
            by_size[entry.pixels.shape].append(entry)
    verdicts = {shape: iter(judge(alike)) for shape, alike in by_size.items()}
    for entry in chunk:
        yield entry if isinstance(entry, NotInspected) else next(verdicts[entry.pixels.shape])
