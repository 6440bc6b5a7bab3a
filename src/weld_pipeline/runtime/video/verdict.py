"""Video verdict: what is said about a weld clip by clip, where it is worst, and as a whole."""

from dataclasses import asdict, dataclass
from typing import Any

from weld_pipeline.runtime.verdicts import Verdict

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
class RunVerdict:
    """Verdict on a weld, or on what was seen of it so far.

    Attributes:
        verdict: Outcome by the bundle's policy; `no_arc` if no clip was seen, which is never a pass.
        predicted: Most probable class; None, like the numbers below, where no clip was seen.
        score: Log-odds of not good; higher is worse.
        p_defect: Calibrated probability of a defect [0..1].
        probabilities: Class to probability.
        anomaly: Mean reconstruction error of the autoencoder that knows good welds only.
        n_clips: Clips the verdict rests on.
        arc_start_s: Begin of the first clip in the video [s].
        worst: Stretch to look at first.
    """

    verdict: Verdict
    predicted: str | None
    score: float | None
    p_defect: float | None
    probabilities: dict[str, float] | None
    anomaly: float | None
    n_clips: int
    arc_start_s: float | None
    worst: Stretch | None


NOTHING_SEEN = RunVerdict("no_arc", None, None, None, None, None, 0, None, None)


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
        run: Verdict on the whole weld.
        clips: The timeline.
        timing: Where the time went.
        warnings: What a person should know about the recording: which track, frames without time stamps,
            pauses, another frame rate than in training.
    """

    path: str
    sha256: str
    travel_mm_s: float | None
    run: RunVerdict
    clips: tuple[ClipResult, ...]
    timing: Timing
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Outcome by the bundle's policy."""
        return self.run.verdict

    @property
    def predicted(self) -> str | None:
        """Most probable class."""
        return self.run.predicted

    @property
    def score(self) -> float | None:
        """Log-odds of not good; higher is worse."""
        return self.run.score

    @property
    def p_defect(self) -> float | None:
        """Calibrated probability of a defect."""
        return self.run.p_defect

    @property
    def n_parts(self) -> int:
        """Number of clips that were looked at."""
        return self.run.n_clips

    def compact(self) -> "VideoVerdict":
        """Return itself, which holds no frames."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values, the run's fields beside the path."""
        fields = asdict(self)
        return {"path": fields.pop("path"), "sha256": fields.pop("sha256")} | fields.pop("run") | fields


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
