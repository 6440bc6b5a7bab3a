"""Resize: an image as the square that a network sees, by Pillow's antialiased bilinear filter in fixed-point numbers."""

from hashlib import sha256

import numpy as np
from PIL import Image

from weld_pipeline.core.shapes import UInt8

# Height and width of what `resize_digest` resizes: wide and tall, smaller and larger than the square.
_CHECKED_SIZES = ((70, 128), (300, 40), (20, 33))
_CHECKED_PX = 64


def resize_to_square(image: UInt8[np.ndarray, "H W 3"], px: int, *, grey: bool) -> UInt8[np.ndarray, "R R C"]:
    """Return an image resized to a square, whatever its proportions.

    Pillow computes in whole numbers, so every processor gives the same pixels. Rows are resized before columns in two
    calls, since the order decides on a pixel value here and there and Pillow's own order depends on its version.

    Args:
        px: R, side of the square.
        grey: Whether it is made grey first, by Pillow's luma (ITU-R 601-2). C is then 1, else 3.
    """
    held = Image.fromarray(image)
    if grey:
        held = held.convert("L")
    across = held.resize((px, held.height), Image.Resampling.BILINEAR)
    return np.array(across.resize((px, px), Image.Resampling.BILINEAR)).reshape(px, px, -1)


def resize_digest() -> str:
    """Return a digest of some resized patterns: where it differs, another Pillow gives other pixels."""
    digest = sha256()
    for height, width in _CHECKED_SIZES:
        row, column, channel = np.ogrid[:height, :width, :3]
        pattern = (row * row * 5 + column * column * 3 + row * column * 7 + channel * 85) % 256
        for grey in (False, True):
            digest.update(resize_to_square(pattern.astype(np.uint8), _CHECKED_PX, grey=grey).tobytes())
    return digest.hexdigest()
