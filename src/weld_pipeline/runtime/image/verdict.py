"""What is said about an image of a weld."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from weld_pipeline.runtime.description import BundleDescription
from weld_pipeline.runtime.timing import ImageTiming


@dataclass(frozen=True)
class ImageVerdict:
    """Everything said about one image.

    Attributes:
        path: The file as it was given; None for an array.
        sha256: Hash of the file's bytes; None for an array.
        width: Of the upright image [px].
        height: Of the upright image [px].
        verdict: By `p_defect` and `threshold`; where these are None, every class but the good one fails.
        predicted: The most probable class.
        confidence: Its probability.
        probabilities: Class to probability.
        p_defect: Calibrated probability of a defect [0..1]; None where the bundle has no calibration.
        threshold: The operating point of the bundle; None as above.
        score: Log-odds of not good; higher is worse.
        n_views: Views that voted.
        timing: Where the time went.
    """

    path: str | None
    sha256: str | None
    width: int
    height: int
    verdict: Literal["pass", "fail"]
    predicted: str
    confidence: float
    probabilities: dict[str, float]
    p_defect: float | None
    threshold: float | None
    score: float
    n_views: int
    timing: ImageTiming

    @property
    def label(self) -> str:
        """The class said. In tables and JSON it is `predicted`, since `label` is the truth there."""
        return self.predicted

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return asdict(self)


def decide(predicted: str, p_defect: float | None, description: BundleDescription) -> Literal["pass", "fail"]:
    """Return the verdict: by the calibrated probability where there is one, else by the class."""
    if description.threshold is None or p_defect is None:
        return "pass" if predicted == description.good_class else "fail"
    return "fail" if p_defect >= description.threshold else "pass"
