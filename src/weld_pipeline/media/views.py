"""Crops of a resized image that a network sees: the centre, or the ten-crop for soft voting."""

from typing import Literal

import numpy as np

from weld_pipeline.core.shapes import Int


def crop_views(kind: Literal["centre", "ten"], *, resized_px: int, crop_px: int) -> Int[np.ndarray, "V 3"]:
    """Return (top, left, is_mirrored) of each view of a square image.

    `ten` is the ten-crop of Krizhevsky et al. 2012 (section 4.1): centre and corners, each as it is and mirrored left to
    right.

    Args:
        crop_px: Side of a view, at most that of the image.

    >>> crop_views("centre", resized_px=10, crop_px=8).tolist()
    [[1, 1, 0]]
    >>> len(crop_views("ten", resized_px=10, crop_px=8))
    10
    """
    far = resized_px - crop_px
    if kind == "centre":
        return np.array([[far // 2, far // 2, 0]], dtype=np.int64)
    places = [(far // 2, far // 2), (0, 0), (0, far), (far, 0), (far, far)]
    return np.array([[top, left, mirrored] for mirrored in (0, 1) for top, left in places], dtype=np.int64)
