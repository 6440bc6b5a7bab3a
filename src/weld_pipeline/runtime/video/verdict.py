"""What is said about a weld: clip by clip, where it is worst, and as a whole."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

# A clip belongs to a suspicious stretch when its classes other than good outweigh good.
_SUSPICIOUS = 0.5


@dataclass(frozen=True)
class ClipResult:
    """One clip of the timeline.

    Attributes:
        start_frame: Its first frame.
        start_s: Where it begins in the video [s].
        end_s: Where it ends [s].
        start_mm: The same along the bead from arc start [mm]; None where the travel speed is not known.
        end_mm: Its end along the bead [mm].
        predicted: The most probable class.
        probabilities: Class to probability.
        p_not_good: What all classes but the good one sum up to; not calibrated, unlike `p_defect` of a run.
        anomaly: Reconstruction error of the autoencoder that knows good welds only.
    """

    start_frame: int
    start_s: float
    end_s: float
    start_mm: float | None
    end_mm: float | None
    predicted: str
    probabilities: dict[str, float]
    p_not_good: float
    anomaly: float


@dataclass(frozen=True)
class Stretch:
    """Consecutive clips that look bad; the attributes are those of `ClipResult`, class and `p_not_good` at the peak."""

    start_s: float
    end_s: float
    start_mm: float | None
    end_mm: float | None
    predicted: str
    p_not_good: float


@dataclass(frozen=True)
class Decision:
    """The verdict on a weld.

    Attributes:
        verdict: `no_arc` if no clip was seen, which is never a pass.
        predicted: The most probable class; None, like the numbers below, where no clip was seen.
        probabilities: Class to probability.
        p_defect: Calibrated probability of a defect [0..1]; fail from `threshold` on.
        threshold: The operating point of the bundle.
        score: Log-odds of not good; higher is worse.
        anomaly: Mean reconstruction error of the autoencoder that knows good welds only.
        n_clips: Clips the verdict rests on.
        arc_start_s: Where the first clip begins in the video [s].
        worst: The stretch to look at first.
    """

    verdict: Literal["pass", "fail", "no_arc"]
    predicted: str | None
    probabilities: dict[str, float] | None
    p_defect: float | None
    threshold: float
    score: float | None
    anomaly: float | None
    n_clips: int
    arc_start_s: float | None
    worst: Stretch | None


@dataclass(frozen=True)
class Timing:
    """Where the time went.

    Attributes:
        video_s: Length of the video [s].
        decode_s: Time to decode it [s].
        network_s: Time in the network [s].
        total_s: Time from opening the file to the verdict, hash included [s].
        real_time_factor: Seconds of network per second of arc-on video; below 1 it keeps up with a camera.
            None where no clip was seen.
    """

    video_s: float
    decode_s: float
    network_s: float
    total_s: float
    real_time_factor: float | None


@dataclass(frozen=True)
class VideoVerdict:
    """Everything said about one video file.

    Attributes:
        path: The file as it was given.
        sha256: Hash of its bytes.
        travel_mm_s: Travel speed the positions rest on [mm/s], if known.
        decision: The verdict.
        clips: The timeline.
        timing: Where the time went.
    """

    path: str
    sha256: str
    travel_mm_s: float | None
    decision: Decision
    clips: tuple[ClipResult, ...]
    timing: Timing

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values, the decision's fields beside the path."""
        fields = asdict(self)
        return {"path": fields.pop("path")} | fields.pop("decision") | fields


class WorstStretch:
    """Finds the worst stretch of a timeline as its clips come, in constant memory.

    The worst stretch holds the clip with the highest `p_not_good` and the suspicious clips right before and after
    it; if that clip is not suspicious itself, it stands alone.

    Args:
        stride: Distance between consecutive clips in frames; a larger gap ends a stretch.
    """

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._last: ClipResult | None = None
        self._open: Stretch | None = None
        self.worst: Stretch | None = None

    def add(self, clip: ClipResult) -> None:
        """Take the next clip of the timeline."""
        grown = self._joined(clip)
        was_worst = self._open is not None and self._open is self.worst
        extends = self._open is not None and grown.start_s == self._open.start_s
        if self.worst is None or grown.p_not_good > self.worst.p_not_good or (was_worst and extends):
            self.worst = grown
        self._last, self._open = clip, grown

    def _joined(self, clip: ClipResult) -> Stretch:
        alone = Stretch(clip.start_s, clip.end_s, clip.start_mm, clip.end_mm, clip.predicted, clip.p_not_good)
        last, before = self._last, self._open
        if last is None or before is None or min(last.p_not_good, clip.p_not_good) < _SUSPICIOUS:
            return alone
        if clip.start_frame - last.start_frame != self._stride:
            return alone
        peak = max(before, alone, key=lambda stretch: stretch.p_not_good)
        return Stretch(before.start_s, clip.end_s, before.start_mm, clip.end_mm, peak.predicted, peak.p_not_good)
