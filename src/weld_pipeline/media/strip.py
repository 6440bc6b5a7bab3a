"""A recording at a glance: a few of its frames side by side."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.decode import Video

# 16:10, as the Intel recordings.
CELL_HEIGHT, CELL_WIDTH = 150, 240


def strip_sheet(recordings: Sequence[tuple[Path, float, float]], *, n_frames: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return a strip a recording, from top to bottom; one black strip if there is none.

    Args:
        recordings: File, start and length [s] of the stretch to show.
        n_frames: Frames in a strip.

    Raises:
        WeldError: If a recording cannot be read.
    """
    strips = [
        frame_strip(path, start_s=start_s, length_s=length_s, n_frames=n_frames, height=CELL_HEIGHT, width=CELL_WIDTH)
        for path, start_s, length_s in recordings
    ]
    return np.concatenate(strips) if strips else np.zeros((CELL_HEIGHT, n_frames * CELL_WIDTH, 3), dtype=np.uint8)


def frame_strip(
    path: Path, *, start_s: float, length_s: float, n_frames: int, height: int, width: int
) -> UInt8[np.ndarray, "H W 3"]:
    """Return `n_frames` frames, evenly spaced over a stretch of a recording, in a row.

    Each is the middle of its share of the stretch and keeps its shape; what is left of its cell stays black.

    Args:
        path: The recording.
        start_s: Where the stretch begins [s].
        length_s: How long it is [s].
        n_frames: How many cells.
        height: Of a cell [px].
        width: Of a cell [px].

    Raises:
        WeldError: If the recording cannot be read or has no frame there.
    """
    cells: list[np.ndarray] = []
    with Video(path) as video:
        wanted = [int((start_s + length_s * (cell + 0.5) / n_frames) * video.fps) for cell in range(n_frames)]
        for number, frame in enumerate(video.frames()):
            cells += [_in_cell(frame, height=height, width=width)] * wanted.count(number)
            if number >= wanted[-1]:
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
