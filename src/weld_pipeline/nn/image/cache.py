"""Cached images: decoded and resized once, so that an epoch reads small arrays instead of files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weld_pipeline.core.files import content_key, inside
from weld_pipeline.core.items.pending import Execution, Item, PendingItems
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image
from weld_pipeline.media.resize import resize_to_square

# Raise it when a code change changes a resized image; it is part of every content key.
CACHE_VERSION = 2


@dataclass(frozen=True)
class ImageFile:
    """An image to be cached.

    Attributes:
        path: Path relative to `root`.
    """

    sample_id: str
    root: Path
    path: str
    sha256: str


def pending_images(
    files: Sequence[ImageFile],
    *,
    resized_px: int,
    grey: bool,
    n_workers: int,
    jpeg_px: int | None = None,
    sample_bits: int | None = None,
) -> PendingItems[Path, dict[str, np.ndarray]]:
    """Return the resizing of images as pending work; each gives `image` [R, R, C], uint8.

    Args:
        resized_px: R, side of the square that an image is resized to.
        grey: Whether C is 1, else 3.
        jpeg_px: See `media.images.read_image`.
        sample_bits: See there.
    """
    how = [resized_px, grey, jpeg_px, sample_bits]
    items = [
        Item(file.sample_id, content_key(CACHE_VERSION, file.sha256, how), inside(file.root, file.path))
        for file in files
    ]
    factory = _ResizerFactory(resized_px, grey, jpeg_px, sample_bits)
    return PendingItems(factory, items, "resizing images", Execution(n_workers=n_workers))


@dataclass(frozen=True)
class _ResizerFactory:
    resized_px: int
    grey: bool
    jpeg_px: int | None
    sample_bits: int | None

    def __call__(self) -> "_Resizer":
        return _Resizer(self.resized_px, self.grey, self.jpeg_px, self.sample_bits)


@dataclass(frozen=True)
class _Resizer:
    resized_px: int
    grey: bool
    jpeg_px: int | None
    sample_bits: int | None

    def __call__(self, path: Path) -> dict[str, np.ndarray]:
        pixels = read_image(path, max_pixels=MAX_PROBED_PIXELS, sample_bits=self.sample_bits, jpeg_px=self.jpeg_px)
        return {"image": resize_to_square(pixels, self.resized_px, grey=self.grey)}
