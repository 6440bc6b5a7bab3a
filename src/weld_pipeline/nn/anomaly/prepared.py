"""Prepared images: decoded, cut into tiles and preprocessed once, so that later steps read small arrays, not files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool

from weld_pipeline.core.files import content_key
from weld_pipeline.core.items.pending import Execution, Item, PendingItems
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image
from weld_pipeline.media.masks import mask_files, read_mask
from weld_pipeline.media.tiles import Box, Tiling, image_boxes, marked_px, tile_squares
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess

# Raise it when a code change changes a prepared image; it is part of every content key.
PREPARED_VERSION = 2


@dataclass(frozen=True)
class MaskedImage:
    """An image to be prepared.

    Attributes:
        is_defect: Whether any of it is defective.
        mask: File, or folder of files, that marks the defect; None if there is none.
    """

    sample_id: str
    path: Path
    sha256: str
    is_defect: bool
    mask: Path | None


def pending_prepared(
    images: Sequence[MaskedImage],
    *,
    preprocess: Mapping[str, Any],
    tiling: Tiling | None,
    n_workers: int,
    sample_bits: int | None = None,
) -> PendingItems[MaskedImage, dict[str, np.ndarray]]:
    """Return the preparing of images as pending work.

    Each image gives `image` [T, S, S, C], uint8, and `is_clean` [T]: which tiles show nothing defective, so that a
    detector may train on them. T is 1 without tiling. No tile of a defective image without a mask counts as clean.

    Args:
        preprocess: Architecture of a `MapPreprocess`.
        tiling: Tiling of long images; None for whole images.
        sample_bits: See `media.images.read_image`.
    """
    # Mean and standard deviation are applied after the store, so they are no part of the key.
    how = {name: preprocess[name] for name in ("image_px", "grey", "clahe_clip", "smoothing")} | {
        "sample_bits": sample_bits
    }
    cutting = asdict(tiling) if tiling else None
    items = [
        Item(
            image.sample_id,
            content_key(PREPARED_VERSION, image.sha256, how, cutting, image.is_defect, _mask_key(image.mask)),
            image,
        )
        for image in images
    ]
    factory = _PreparerFactory(dict(preprocess), tiling, sample_bits)
    return PendingItems(factory, items, "preparing images", Execution(n_workers=n_workers))


def _mask_key(mask: Path | None) -> list[Any]:
    """Return name, size and time of each file of a mask."""
    stats = [(file.name, file.stat()) for file in (mask_files(mask) if mask else ())]
    return [part for name, stat in stats for part in (name, stat.st_size, stat.st_mtime_ns)]


@dataclass(frozen=True)
class _PreparerFactory:
    preprocess: dict[str, Any]
    tiling: Tiling | None
    sample_bits: int | None

    def __call__(self) -> "_Preparer":
        return _Preparer(MapPreprocess(**self.preprocess), self.tiling, self.sample_bits)


@dataclass(frozen=True)
class _Preparer:
    preprocess: MapPreprocess
    tiling: Tiling | None
    sample_bits: int | None

    def __call__(self, image: MaskedImage) -> dict[str, np.ndarray]:
        pixels = read_image(image.path, max_pixels=MAX_PROBED_PIXELS, sample_bits=self.sample_bits)
        boxes = image_boxes(pixels.shape[0], pixels.shape[1], self.tiling)
        squares = tile_squares(pixels, boxes, self.preprocess.image_px, grey=self.preprocess.grey)
        prepared = [self.preprocess.prepare(square[None])[0].numpy() for square in torch.from_numpy(squares)]
        return {"image": np.stack(prepared), "is_clean": _clean(image, boxes, pixels.shape)}


def _clean(image: MaskedImage, boxes: Sequence[Box], shape: tuple[int, ...]) -> Bool[np.ndarray, " T"]:
    if not image.is_defect:
        return np.ones(len(boxes), dtype=bool)
    if image.mask is None:
        return np.zeros(len(boxes), dtype=bool)
    mask = read_mask(image.mask, height=shape[0], width=shape[1])
    # A defective image whose mask marks nothing leaves open where the defect is.
    return marked_px(mask, boxes) == 0 if mask.any() else np.zeros(len(boxes), dtype=bool)
