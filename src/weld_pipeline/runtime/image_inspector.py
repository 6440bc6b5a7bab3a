"""Image inspectors: many images, judged together while the next are read."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from weld_pipeline.runtime.find_files import find_images
from weld_pipeline.runtime.image_reader import ImageBytes, Preparation, ReadImage, read, read_ahead
from weld_pipeline.runtime.verdicts import NotInspected

V = TypeVar("V")


class ImageInspector(ABC, Generic[V]):
    """What inspectors of single images share: finding them, reading them, and judging those that are fed alike at once."""

    _preparation: Preparation

    def find(self, paths: Iterable[Path]) -> list[Path | ImageBytes | NotInspected]:
        """Return the images that were meant by files, folders and patterns; `-` is one from stdin, which comes first."""
        return find_images(paths)

    def inspect(self, source: Path | str | ImageBytes | np.ndarray) -> V:
        """Return the verdict on one image.

        Args:
            source: File, bytes of one, or upright RGB pixels as uint8 [H, W, 3].

        Raises:
            WeldError: If the image cannot be used, or the graph gives no finite answer.
        """
        (verdict,) = self._judge([read(source, self._preparation)])
        return verdict

    def inspect_each(self, sources: Iterable[Path | str | ImageBytes | NotInspected]) -> Iterator[V | NotInspected]:
        """Yield a verdict an image, in order, as they are made.

        Images go through the network together, and the next ones are decoded and resized meanwhile. An image that
        cannot be used does not lose the others: in its place stands a `NotInspected` that says why.

        Args:
            sources: Files, bytes of files, or entries of `find`.

        Raises:
            WeldError: If the graph gives no finite answer.
        """
        paths = (Path(each) if isinstance(each, str) else each for each in sources)
        for chunk in read_ahead(paths, self._preparation):
            yield from self._judged(chunk)

    def _judged(self, chunk: Sequence[ReadImage | NotInspected]) -> Iterator[V | NotInspected]:
        # Graphs that resize by themselves are fed images of any size, and one call takes one size.
        by_shape: dict[tuple[int, ...], list[ReadImage]] = defaultdict(list)
        for entry in chunk:
            if isinstance(entry, ReadImage):
                by_shape[entry.fed.shape].append(entry)
        verdicts = {shape: iter(self._judge(alike)) for shape, alike in by_shape.items()}
        for entry in chunk:
            yield entry if isinstance(entry, NotInspected) else next(verdicts[entry.fed.shape])

    @abstractmethod
    def _judge(self, alike: Sequence[ReadImage]) -> list[V]:
        """Return the verdicts on images whose `fed` is of one shape."""
