"""Frame times in seconds: from time stamps, and counted at the frame rate where there are none."""

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from statistics import median
from typing import NamedTuple

import numpy as np

from weld_pipeline.core.shapes import UInt8

# A pause is worth a word when it is long for a person and for the rate.
_LONG_GAP_S, _LONG_GAP_FRAMES = 0.5, 5.0
_N_INTERVALS = 10_000
_N_RECENT = 9  # arrivals come unevenly


class TimedFrame(NamedTuple):
    """A decoded frame and when it was seen.

    Attributes:
        image: Upright RGB pixels.
        time_s: Time since the first frame [s].
        end_s: When the next frame is due [s].
    """

    image: UInt8[np.ndarray, "H W 3"]
    time_s: float
    end_s: float


class FrameClock:
    """Time of each frame, in the order they are shown.

    A frame whose time stamp is missing, repeated or earlier than that of the frame before is put one interval behind it;
    `warnings` says so.

    Args:
        tick_s: Unit of the time stamps [s]; None counts frames at the announced rate.
        rates: Frame rates that the header announces [1/s], the most trusted first; may be none.
    """

    def __init__(self, *, tick_s: Fraction | None, rates: Sequence[Fraction] = ()) -> None:
        self._tick_s = None if tick_s is None or tick_s <= 0 else float(tick_s)
        self._announced_s = [float(1 / rate) for rate in rates if rate > 0]
        self._intervals_s: deque[float] = deque(maxlen=_N_INTERVALS)
        self._origin: float | None = None  # time stamp of the first frame [ticks]
        self._last_s: float | None = None
        self._longest = (0.0, 0.0)  # interval and when it begins [s]
        self.n_frames = 0
        self.n_counted = 0
        self.end_s = 0.0

    def stamp(self, ticks: int | None, duration: int | None = None) -> tuple[float, float]:
        """Return when the next frame is seen and when the one after it is due [s].

        Args:
            ticks: Its time stamp, or None if it has none.
            duration: How long it is shown [ticks]; 0 or None if that is not known.

        Raises:
            ValueError: If there is neither a time stamp nor a rate to count with.
        """
        time_s = self._time_s(ticks)
        if self._last_s is not None:
            self._note_interval(self._last_s, time_s - self._last_s)
        self._last_s = time_s
        self.n_frames += 1
        shown_s = duration * self._tick_s if duration and duration > 0 and self._tick_s else self._interval_s() or 0.0
        self.end_s = time_s + shown_s
        return time_s, self.end_s

    def _time_s(self, ticks: int | None) -> float:
        if ticks is not None and self._tick_s is not None:
            if self._origin is None:
                self._origin = ticks - self._next_s() / self._tick_s if self.n_frames else float(ticks)
            time_s = (ticks - self._origin) * self._tick_s
            if self._last_s is None or time_s > self._last_s:
                return time_s
        self.n_counted += 1
        return self._next_s()

    def _next_s(self) -> float:
        interval_s = self._interval_s()
        if interval_s is None:
            raise ValueError("its frames have neither time stamps nor a rate")
        return 0.0 if self._last_s is None else self._last_s + interval_s

    def _interval_s(self) -> float | None:
        """Return the announced interval of two frames or, without one, the median of the last few [s]."""
        if self._announced_s or not self._intervals_s:
            return next(iter(self._announced_s), None)
        return median(islice(reversed(self._intervals_s), _N_RECENT))

    def _note_interval(self, begin_s: float, interval_s: float) -> None:
        self._intervals_s.append(interval_s)
        self._longest = max(self._longest, (interval_s, begin_s))

    @property
    def interval_s(self) -> float | None:
        """Typical interval of two frames [s]: the announced one where the median is within a tick of it, or the median."""
        if not self._intervals_s:
            return self._interval_s()
        middle_s = median(self._intervals_s)
        close_s = 0.999 * (self._tick_s or 0.0)
        return next((each for each in self._announced_s if abs(each - middle_s) < max(close_s, 1e-9)), middle_s)

    @property
    def fps(self) -> float | None:
        """Typical frame rate [1/s], or None as long as nothing tells it."""
        interval_s = self.interval_s
        return None if not interval_s else round(1 / interval_s, 6)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about the times."""
        said = []
        if self.n_counted:
            fps = f"{1 / (self._interval_s() or 1):g} frames/s"
            said.append(
                f"no_time_stamps: {self.n_counted} of {self.n_frames} frames carry none that can be used, their times are "
                f"counted at {fps}; record into a container with time stamps if that is not the true rate"
            )
        gap_s, begin_s = self._longest
        if gap_s > max(_LONG_GAP_S, _LONG_GAP_FRAMES * (self.interval_s or 0.0)):
            said.append(
                f"pause: no frame was seen for {gap_s:.2f} s after {begin_s:.2f} s; look at that stretch yourself"
            )
        return tuple(said)
