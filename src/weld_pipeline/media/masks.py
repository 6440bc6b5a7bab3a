"""Masks of defects: images of the same size whose marked pixels are bright, or numbered by kind of defect."""

from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8, UInt16
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.images import IMAGE_SUFFIXES, ImageError, read_image

# Pixel value of 255; masks that were resized or saved lossily have a grey rim.
_MARKED_ABOVE = 127
# VisA numbers the kinds of defect 1, 2, …, others mark with 1; no bright mark is as dark as that.
_MAX_NUMBER = 31


class MaskError(WeldError):
    """A mask that cannot be used.

    Args:
        code: Kind of problem, as the manifest names it.
        what: Problem and next step.
    """

    def __init__(self, code: Literal["bad_mask", "mask_size"], name: object, what: str) -> None:
        super().__init__(f"mask {name}: {what}")
        self.code = code
        self.what = what


def read_mask(path: Path, *, height: int, width: int) -> Bool[np.ndarray, "H W"]:
    """Return which pixels of an image its mask marks; the mask of a defective image may mark none.

    Args:
        path: An image, or a folder of several, any of which may mark a pixel.
        height: Height of the upright image [px].
        width: Width of the upright image [px].

    Raises:
        MaskError: If it cannot be read, or has another size than its image.
    """
    if path.is_dir():
        return np.logical_or.reduce([read_mask(file, height=height, width=width) for file in mask_files(path)])
    marks = read_marks(path)
    if marks.shape != (height, width):
        size = f"the mask is {marks.shape[1]}×{marks.shape[0]} px, its image {width}×{height} px"
        raise MaskError("mask_size", path, f"{size}; export it again in the image's size, or take it away")
    return marks


def mask_files(path: Path) -> list[Path]:
    """Return the files of a mask: itself, or the images in its folder, sorted.

    Raises:
        MaskError: If the folder holds no image.
    """
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and file.name[0] != ".")
    if not files:
        raise MaskError("bad_mask", path, "the folder of masks holds no image; copy them there")
    return files


def read_marks(path: Path) -> Bool[np.ndarray, "H W"]:
    """Return which pixels a mask marks, whatever image it belongs to.

    A pixel is marked where any colour channel is above 127 of 255. A mask without a pixel value above 31 that is
    not black numbers kinds of defect: every pixel but 0 is marked.

    Args:
        path: Any image `read_image` reads: 1, 8 or 16 bit, grey, palette or colour.

    Raises:
        MaskError: If it cannot be read.
    """
    try:
        values = read_image(path).max(axis=2)
    except ImageError as error:
        raise MaskError("bad_mask", path, f"the mask cannot be read: {error.what}") from error
    if not values.any():
        return _sixteen_bit_values(path, values) > 0
    return values > (0 if values.max() <= _MAX_NUMBER else _MARKED_ABOVE)


def _sixteen_bit_values(
    path: Path, values: UInt8[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"]:
    """Return the true pixel values of a mask that is black in 8 bit, as 16-bit values 0 and 1 are."""
    with Image.open(path) as image:
        return np.asarray(image).astype(np.uint16) if image.mode.startswith("I") else values
