"""Clips of a stream of frames, as a model sees them: the arc gate and the sliding window.

One causal pass in the memory of one window: a finished file and a running camera give the same clips.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Int, UInt8
from weld_pipeline.media.recordings.timing import TimedFrame

Frame = TypeVar("Frame")

# Every fourth pixel each way is enough to see an arc, and a sixteenth of the work.
_GATE_STEP = 4


@dataclass(frozen=True)
class ArcGate:
    """Rule for arc-on frames: enough of their pixels are bright.

    On the Intel recordings a dark frame has a luma of 10 with at most a stray reflection, while an arc saturates
    hundreds of pixels even in the low phase of the pulse. An absolute rule needs no look ahead.

    Attributes:
        min_luma: Green value from which a pixel is bright [0..255].
        min_bright_fraction: Share of bright pixels from which the arc is on [0..1].
        min_clip_fraction: Share of arc-on frames from which a clip is kept [0..1].
    """

    min_luma: int = 128
    min_bright_fraction: float = 5e-4
    min_clip_fraction: float = 0.5

    def is_on(self, frame: UInt8[np.ndarray, "H W 3"]) -> bool:
        """Return whether the arc burns in `frame`."""
        green = frame[::_GATE_STEP, ::_GATE_STEP, 1]
        return float(np.mean(green >= self.min_luma)) >= self.min_bright_fraction


@dataclass(frozen=True)
class Clip(Generic[Frame]):
    """A window of consecutive frames.

    Attributes:
        start: Index of its first frame in the video.
        start_s: Time of its first frame in the video [s].
        end_s: Time at which its last frame ends [s].
        frames: The frames, transformed or as decoded.
    """

    start: int
    start_s: float
    end_s: float
    frames: tuple[Frame, ...]


def window_starts(n_frames: int, *, window: int, stride: int) -> Int[np.ndarray, " W"]:
    """Return the first frame of every full window.

    A window that would run past the last frame is dropped, so a stretch shorter than one window yields none;
    the caller decides whether that is an error.

    Args:
        n_frames: Length of the stretch in frames.
        window: Window length in frames.
        stride: Distance between window starts in frames.

    Raises:
        WeldError: If window or stride is below one frame.
    """
    if window < 1 or stride < 1:
        raise WeldError(f"window {window} and stride {stride} must be at least 1 frame; mend the window parameters")
    return np.arange(0, max(n_frames - window + 1, 0), stride)


def arc_clips(
    frames: Iterable[TimedFrame],
    *,
    gate: ArcGate,
    window: int,
    stride: int,
    transform: Callable[[UInt8[np.ndarray, "H W 3"]], Frame],
) -> Iterator[Clip[Frame]]:
    """Yield the clips of the arc-on part of a video as its frames come.

    The first clip begins at the first arc-on frame, the next `stride` frames later and so on; a clip with too few
    arc-on frames is skipped, so dark lead-in, pauses and lead-out are left out. Windows are counted in frames, whatever
    the times between them: a model knows nothing of seconds.

    Args:
        frames: Decoded frames, from the first on.
        window: Clip length in frames.
        stride: Distance between clip starts in frames.
        transform: Function applied once to each frame that may be part of a clip.
    """
    window_starts(0, window=window, stride=stride)  # refuses lengths below one frame
    recent: deque[tuple[bool, float, Frame]] = deque(maxlen=window)
    first_on: int | None = None
    for index, frame in enumerate(frames):
        is_on = gate.is_on(frame.image)
        if first_on is None:
            if not is_on:
                continue
            first_on = index
        recent.append((is_on, frame.time_s, transform(frame.image)))
        start = index - window + 1
        if len(recent) == window and (start - first_on) % stride == 0:
            n_on = sum(on for on, _, _ in recent)
            if n_on >= gate.min_clip_fraction * window:
                yield Clip(start, recent[0][1], frame.end_s, tuple(kept for _, _, kept in recent))
