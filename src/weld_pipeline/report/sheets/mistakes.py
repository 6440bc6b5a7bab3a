"""A sample at a glance: an image, or a few frames of a recording side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.decode import Video
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image

# 16:10, as the Intel recordings.
CELL_HEIGHT, CELL_WIDTH = 150, 240


@dataclass(frozen=True)
class Exhibit:
    """What a strip shows: an image, or a stretch of a recording.

    Attributes:
        start_s: Where the stretch of a recording begins [s].
        length_s: How long it is [s]; None for an image.
        sample_bits: Of an image; see `media.images.read_image`.
    """

    path: Path
    start_s: float = 0.0
    length_s: float | None = None
    sample_bits: int | None = None

    def pixels(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return the image."""
        return read_image(self.path, max_pixels=MAX_PROBED_PIXELS, sample_bits=self.sample_bits)


def strip_sheet(exhibits: Sequence[Exhibit], *, n_frames: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return a strip an exhibit, from top to bottom; one black strip if there is none.

    Args:
        exhibits: What to show; an image takes the width of a whole strip.
    """
    width = n_frames * CELL_WIDTH
    strips = [
        _in_cell(exhibit.pixels(), height=CELL_HEIGHT, width=width)
        if exhibit.length_s is None
        else frame_strip(
            exhibit.path,
            start_s=exhibit.start_s,
            length_s=exhibit.length_s,
            n_frames=n_frames,
            height=CELL_HEIGHT,
            width=CELL_WIDTH,
        )
        for exhibit in exhibits
    ]
    return np.concatenate(strips) if strips else np.zeros((CELL_HEIGHT, width, 3), dtype=np.uint8)


def frame_strip(
    path: Path, *, start_s: float, length_s: float, n_frames: int, height: int, width: int
) -> UInt8[np.ndarray, "H W 3"]:
    """Return `n_frames` frames, evenly spaced over a stretch of a recording, in a row.

    Each is the middle of its share of the stretch and keeps its shape; what is left of its cell stays black.

    Raises:
        WeldError: If the recording cannot be read or has no frame there.
    """
    cells: list[np.ndarray] = []
    wanted_s = [start_s + length_s * (cell + 0.5) / n_frames for cell in range(n_frames)]
    with Video(path) as video:
        for frame in video.frames():
            n_here = sum(time_s < frame.end_s - 1e-6 for time_s in wanted_s[len(cells) :])
            cells += [_in_cell(frame.image, height=height, width=width)] * n_here
            if len(cells) == n_frames:
                break
    if not cells:
        raise WeldError(f"video {path}: has no frame {start_s:.2f} s after its start; run the ingestion again")
    cells += [np.zeros_like(cells[0])] * (n_frames - len(cells))
    return np.concatenate(cells, axis=1)


def _in_cell(frame: UInt8[np.ndarray, "H W 3"], *, height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    scale = min(height / frame.shape[0], width / frame.shape[1])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    cell = np.zeros((height, width, 3), dtype=np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell
