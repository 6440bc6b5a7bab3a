"""Tiles of long images, and maps of tiles stitched to the map of the whole image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Bool, Float, Int, UInt8
from weld_pipeline.media.heatmaps import resize_map
from weld_pipeline.media.resize import resize_to_square


@dataclass(frozen=True)
class Box:
    """A rectangle of an image [px]."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Return the slices that cut it out of an array of rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Tiling:
    """Sizes by which long images are cut.

    Attributes:
        tile_px: Side of a tile [px of the image].
        overlap_px: Least overlap of neighbours; less than a tile.
    """

    tile_px: int
    overlap_px: int


def image_boxes(height: int, width: int, tiling: Tiling | None) -> list[Box]:
    """Return the boxes an image is cut into; the whole of it where nothing is cut.

    Args:
        tiling: Sizes of the tiles; None leaves the image whole.
    """
    if tiling is None:
        return [Box(0, 0, height, width)]
    return tile_boxes(height, width, tile_px=tiling.tile_px, overlap_px=tiling.overlap_px)


def tile_boxes(height: int, width: int, *, tile_px: int, overlap_px: int) -> list[Box]:
    """Return boxes that cover an image, row by row.

    All are `tile_px` squares, or as long as the side where that is shorter. Neighbours share `overlap_px`; the last of a
    row or column is moved back to end at the border, so it shares more.

    Args:
        overlap_px: Least overlap of neighbours; less than a tile.

    Raises:
        WeldError: If the image is empty, or a tile would not advance.
    """
    if min(height, width, tile_px) < 1:
        raise WeldError(f"tiles of {tile_px} px of a {width}×{height} px image: each must be at least 1 px")
    if not 0 <= overlap_px < tile_px:
        raise WeldError(
            f"tiles of {tile_px} px cannot overlap by {overlap_px} px; set an overlap from 0 to {tile_px - 1}"
        )
    return [
        Box(top, left, min(tile_px, height), min(tile_px, width))
        for top in _starts(height, tile_px=tile_px, overlap_px=overlap_px)
        for left in _starts(width, tile_px=tile_px, overlap_px=overlap_px)
    ]


def cut(image: UInt8[np.ndarray, "H W C"], boxes: Sequence[Box]) -> UInt8[np.ndarray, "T h w C"]:
    """Return the tiles of an image, as `tile_boxes` lays them."""
    return np.stack([image[box.slices] for box in boxes])


def tile_squares(
    image: UInt8[np.ndarray, "H W 3"], boxes: Sequence[Box], px: int, *, grey: bool
) -> UInt8[np.ndarray, "T R R C"]:
    """Return the tiles of an image, each resized to a square; see `media.resize.resize_to_square`."""
    return np.stack([resize_to_square(image[box.slices], px, grey=grey) for box in boxes])


def marked_px(mask: Bool[np.ndarray, "H W"], boxes: Sequence[Box]) -> Int[np.ndarray, " T"]:
    """Return how many pixels of each tile a mask marks: a tile with none is normal, whatever else the image holds."""
    return np.array([np.count_nonzero(mask[box.slices]) for box in boxes], dtype=np.int64)


def stitch(
    maps: Float[np.ndarray, "T S S"], boxes: Sequence[Box], *, height: int, width: int
) -> Float[np.ndarray, "H W"]:
    """Return the map of an image from those of its tiles, float32.

    Each map is resized bilinearly to its box. Where boxes overlap, maps are averaged with weights that fall linearly from
    the middle of a tile to its border, so that no seam shows.

    Args:
        maps: Map of each box, in the order of the boxes.
        boxes: Boxes of `tile_boxes`; they must cover the image.
    """
    total = np.zeros((height, width), dtype=np.float32)
    weight = np.zeros((height, width), dtype=np.float32)
    for tile_map, box in zip(maps, boxes, strict=True):
        falling = np.outer(_triangle(box.height), _triangle(box.width))
        total[box.slices] += falling * resize_map(tile_map, height=box.height, width=box.width)
        weight[box.slices] += falling
    return total / weight


def _starts(side: int, *, tile_px: int, overlap_px: int) -> list[int]:
    last = max(side - tile_px, 0)
    return [*range(0, last, tile_px - overlap_px), last]


def _triangle(n: int) -> Float[np.ndarray, " n"]:
    """Return weights that fall linearly from 1 in the middle, and are above 0 at the ends."""
    rising = np.arange(1, n + 1, dtype=np.float32)
    return np.minimum(rising, rising[::-1]) / np.float32((n + 1) // 2)
