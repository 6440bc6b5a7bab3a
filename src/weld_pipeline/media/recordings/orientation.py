"""Orientation of frames: turned and mirrored as the container's display matrix says they are to be seen."""

import struct

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

from weld_pipeline.core.shapes import UInt8

_ONE = 1 << 16  # the matrix is in 16.16 fixed point
_NEARLY = _ONE // 100


def upright(image: UInt8[np.ndarray, "H W 3"], frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Return the pixels of a frame as they are to be seen.

    Pixels that are not square (sample aspect ratio) stay as they are stored: stretching would make up pixels.

    Raises:
        ValueError: If the matrix turns by other than quarter turns, so that pixels would have to be made up.
    """
    data = frame.side_data.get("DISPLAYMATRIX") if len(frame.side_data) else None
    if not isinstance(data, SideData):
        return image
    # A pixel at (x, y) is shown at (a·x + c·y, b·x + d·y).
    a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])
    return oriented(image, (a, b, c, d))


def oriented(image: UInt8[np.ndarray, "H W 3"], matrix: tuple[int, int, int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image turned by a display matrix a, b, c, d in 16.16 fixed point; one of zeros turns nothing.

    Raises:
        ValueError: If the matrix turns by other than quarter turns.

    >>> oriented(np.array([[[1] * 3, [2] * 3]], np.uint8), (0, 1 << 16, -1 << 16, 0))[:, :, 0].tolist()
    [[1], [2]]
    """
    a, b, c, d = matrix
    if not any(matrix):
        return image
    is_turned = abs(a) <= _NEARLY and abs(d) <= _NEARLY and b and c
    is_flat = abs(b) <= _NEARLY and abs(c) <= _NEARLY and a and d
    if not (is_turned or is_flat):
        raise ValueError(f"display matrix {[value / _ONE for value in matrix]} is no quarter turn")
    across, down = (c, b) if is_turned else (a, d)
    seen = image.swapaxes(0, 1) if is_turned else image
    return np.ascontiguousarray(seen[:: 1 if down > 0 else -1, :: 1 if across > 0 else -1])
