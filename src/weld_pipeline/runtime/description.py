"""The content of `bundle.json`."""

from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.runtime.contracts import AnomalyCalibration, AnomalyInput, ClipsInput, InputContract, Part

# Two roads to one number, one of which was written to JSON.
_SAME_P = 1e-6


class WeightsRecord(Part):
    """The weights the trunk began with; `sha256` is of their file, or of the tensors where they are random."""

    name: str
    source: str
    sha256: str | None
    licence: str
    is_random: bool


class Provenance(Part):
    """Where the bundle came from."""

    code_commit: str | None
    code_is_dirty: bool | None
    code_version: str
    data_sha256: str
    weights: WeightsRecord
    mlflow_run_id: str | None
    library_versions: dict[str, str]


class EstimateRecord(Part):
    """A number, its interval over sessions, on how much it rests, and whether that is too little to rely on it."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_sessions: int
    is_small: bool


class BundleDescription(Part):
    """The content of `bundle.json`."""

    format: Literal[1]
    family: str
    classes: list[str] = Field(min_length=2)
    good_class: str
    input: InputContract
    threshold: float | None = Field(ge=0, le=1)
    """`p_defect` from which the verdict is fail; None without calibration: then every class but the good one fails. A
    detector goes by its score instead, and this is what its threshold is as `p_defect`; None where it has none."""
    calibration: dict[str, Any] | None
    """Temperature and Platt's numbers, for the reader; the graph has them inside. None where there was no calib split.
    Of a detector an `AnomalyCalibration`."""
    provenance: Provenance
    metrics: dict[str, EstimateRecord]
    """Metric to value on the test split."""
    banners: list[str]
    """What must be said wherever a number of this bundle is shown: random weights, leakage, …"""
    parity: dict[str, Any] | None
    """How far the graph and torch differ; None until the parity gate has passed it."""
    files: dict[str, str]
    """File name to SHA-256."""

    @model_validator(mode="after")
    def _has_a_way_to_a_verdict(self) -> "BundleDescription":
        if isinstance(self.input, AnomalyInput):
            self._check_detector()
            return self
        if (self.threshold is None) != (self.calibration is None):
            raise ValueError("threshold and calibration come together: one is null, the other is not")
        if self.calibration is None and isinstance(self.input, ClipsInput):
            raise ValueError("threshold and calibration are null, but a video family has both")
        return self

    def _check_detector(self) -> None:
        if self.classes != [self.good_class, ANOMALOUS]:
            raise ValueError(f"classes {self.classes} of a detector, expected [{self.good_class!r}, {ANOMALOUS!r}]")
        try:
            rule = AnomalyCalibration.model_validate(self.calibration or {})
        except ValidationError as error:
            raise ValueError(f"calibration of a detector: {first_fault(error)}") from error
        expected = rule.p_defect(rule.score_threshold)
        if (expected is None) != (self.threshold is None):
            raise ValueError("threshold and platt_a come together: one is null, the other is not")
        if expected is not None and self.threshold is not None and abs(expected - self.threshold) > _SAME_P:
            raise ValueError(f"threshold {self.threshold:g}, but p_defect at score_threshold is {expected:g}")


def first_fault(error: ValidationError) -> str:
    """Return where a description is wrong first, and how."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
