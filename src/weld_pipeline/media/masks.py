"""Masks of defects: an image of the same size in which what is marked is bright, or numbered by its kind."""

from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8, UInt16
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.images import ImageError, read_image

# Of 255 levels: masks that were resized or saved lossily have a grey rim.
_MARKED_ABOVE = 127
# VisA numbers the kinds of defect 1, 2, …, others mark with 1; no bright mark is as dark as this.
_MAX_NUMBER = 31


class MaskError(WeldError):
    """A mask that cannot be used.

    Args:
        code: Which kind of trouble, as it stands in a manifest.
        name: The file.
        what: What is wrong; what to do.

    Attributes:
        code: See above.
        what: See above.
    """

    def __init__(self, code: Literal["bad_mask", "mask_size"], name: object, what: str) -> None:
        super().__init__(f"mask {name}: {what}")
        self.code = code
        self.what = what


def read_mask(path: Path, *, height: int, width: int) -> Bool[np.ndarray, "H W"]:
    """Return which pixels of an image a mask marks; none may be, though the image is defective.

    Args:
        path: The mask's file; see `read_marks`.
        height: Of the upright image [px].
        width: Of the upright image [px].

    Raises:
        MaskError: If it cannot be read, or has another size than its image.
    """
    marks = read_marks(path)
    if marks.shape != (height, width):
        size = f"the mask is {marks.shape[1]}×{marks.shape[0]} px, its image {width}×{height} px"
        raise MaskError("mask_size", path, f"{size}; export it again in the image's size, or take it away")
    return marks


def read_marks(path: Path) -> Bool[np.ndarray, "H W"]:
    """Return which pixels a mask marks, whatever image it belongs to.

    A pixel is marked where any colour channel is above 127 of 255. A mask that holds no level above 31, and is not black,
    numbers kinds of defect: there every level but 0 is marked.

    Args:
        path: Any image `read_image` reads: 1, 8 or 16 bit, grey, palette or colour.

    Raises:
        MaskError: If it cannot be read.
    """
    try:
        levels = read_image(path).max(axis=2)
    except ImageError as error:
        raise MaskError("bad_mask", path, f"the mask cannot be read: {error.what}") from error
    if not levels.any():
        return _sixteen_bit_levels(path, levels) > 0
    return levels > (0 if levels.max() <= _MAX_NUMBER else _MARKED_ABOVE)


def _sixteen_bit_levels(
    path: Path, levels: UInt8[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"]:
    """Return the true levels of a mask that is black as an image of 8 bit, which 16-bit levels 0 and 1 are."""
    with Image.open(path) as image:
        return np.asarray(image).astype(np.uint16) if image.mode.startswith("I") else levels
