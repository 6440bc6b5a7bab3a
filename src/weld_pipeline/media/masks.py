"""Masks of defects: images of the same size whose marked pixels are bright, or numbered by kind of defect."""

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from weld_pipeline.core.errors import UnusableFileError
from weld_pipeline.core.shapes import Bool, UInt8, UInt16
from weld_pipeline.media.formats.levels import Samples
from weld_pipeline.media.image_errors import MAX_PIXELS, ImageError
from weld_pipeline.media.images import open_image, read_content
from weld_pipeline.media.suffixes import media_of

# VisA numbers the kinds of defect 1, 2, …, others mark with 1; no bright mark is as dark as that, be it of 8 or 16 bits.
_MAX_NUMBER, _MAX_SHARE = 31, 16
# Up to three values are kinds of defect, more are too if they stand in steps: 51, 102, 153, …
_MAX_KINDS, _MIN_STEP = 3, 10
_MARKED_ALPHA = 127
_LOSSY = ("JPEG", "MPO")


class MaskError(UnusableFileError[Literal["bad_mask", "mask_size"]]):
    """A mask that cannot be used."""

    THING = "mask"


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
    marks = read_marks(path, max_pixels=max(MAX_PIXELS, height * width))
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
    files = sorted(file for file in path.iterdir() if media_of(file) == "image" and file.name[0] != ".")
    if not files:
        raise MaskError("bad_mask", path, "the folder of masks holds no image; copy them there")
    return files


def read_marks(path: Path, *, max_pixels: int = MAX_PIXELS) -> Bool[np.ndarray, "H W"]:
    """Return which pixels a mask marks, whatever image it belongs to.

    Where pixel values number kinds of defect, every pixel but 0 is marked: in a palette by its index, in grey and
    colours where there are few values, or all are multiples of one. Other masks were resized or saved lossily and have a
    rim: there the brightest colour channel must be above half of white, or of the brightest pixel of a dark mask.
    An alpha channel marks where the colours are the same everywhere.

    Args:
        path: Any image `read_image` reads: 1, 8 or 16 bit, grey, palette or colour.

    Raises:
        MaskError: If it cannot be read.
    """
    try:
        image = open_image(read_content(path, max_pixels=max_pixels), str(path), max_pixels=max_pixels)
    except ImageError as error:
        raise MaskError("bad_mask", path, f"the mask cannot be read: {error.what}") from error
    values, white = _values(image)
    is_lossy = isinstance(image, Image.Image) and image.format in _LOSSY
    if not is_lossy and _are_numbers(values, white):
        return values > 0
    highest = int(values.max(initial=0))
    return values > (white // 2 if 2 * highest > white else max(highest // 2, _MAX_NUMBER))


def _values(image: Image.Image | Samples) -> tuple[UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"], int]:
    """Return one value a pixel, 0 where nothing is marked for sure, and the value of white."""
    if isinstance(image, Samples):
        white = (1 << image.bits) - 1
        values = white - image.values if image.is_inverted else image.values
        return (values if values.ndim == 2 else values.max(axis=2)), white  # noqa: PLR2004
    if image.mode == "P" and _is_numbered(image):
        return np.asarray(image), 255
    seen = image.convert("RGBA")
    colours, alpha = np.asarray(seen)[:, :, :3], np.asarray(seen)[:, :, 3]
    if alpha.min() < alpha.max() and (colours == colours[:1, :1]).all():
        return alpha, 255
    colours = colours.max(axis=2)
    return (np.where(alpha > _MARKED_ALPHA, colours, 0).astype(np.uint8) if alpha.any() else colours), 255


def _is_numbered(image: Image.Image) -> bool:
    """Return whether a palette gives colours to numbers: the first is black, and some are no grey."""
    palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return not palette[:1].any() and bool((palette != palette[:, :1]).any())


def _are_numbers(values: UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"], white: int) -> bool:
    """Return whether values number kinds of defect, rather than fade from mark to background."""
    found = np.unique(values)
    kinds = found[found > 0]
    if not kinds.size or kinds[-1] <= max(_MAX_NUMBER, white // _MAX_SHARE):
        return True
    if found[0] > 0:  # no background of 0: it fades, or marks all
        return bool(kinds.size == 1)
    is_counted = kinds[-1] == kinds.size <= white // 2  # 1, 2, 3, … without a gap
    return bool(kinds.size <= _MAX_KINDS or np.gcd.reduce(kinds) >= _MIN_STEP or is_counted)
