"""Image verdict: what is said about an image of a weld."""

from dataclasses import asdict, dataclass
from typing import Any

from weld_pipeline.runtime.timing import ImageTiming
from weld_pipeline.runtime.verdicts import Verdict


@dataclass(frozen=True)
class ImageVerdict:
    """Everything said about one image.

    Attributes:
        path: File as it was given; None for an array.
        sha256: Hash of the file's bytes; None for an array.
        width: Width of the upright image [px].
        height: Height of the upright image [px].
        verdict: Outcome by the bundle's policy.
        predicted: Most probable class.
        confidence: Its probability.
        probabilities: Class to probability.
        p_defect: Calibrated probability of a defect [0..1]; None where the bundle has no calibration.
        score: Log-odds of not good; higher is worse.
        n_views: Views that voted.
        timing: Where the time went.
        warnings: What is doubtful about its pixel values, each as `code: what; what to do`.
    """

    path: str | None
    sha256: str | None
    width: int
    height: int
    verdict: Verdict
    predicted: str
    confidence: float
    probabilities: dict[str, float]
    p_defect: float | None
    score: float
    n_views: int
    timing: ImageTiming
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The class said. In tables and JSON it is `predicted`, since `label` is the truth there."""
        return self.predicted

    @property
    def n_parts(self) -> int:
        """Number of views that were looked at."""
        return self.n_views

    def compact(self) -> "ImageVerdict":
        """Return itself, which holds no pixels."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return asdict(self)
