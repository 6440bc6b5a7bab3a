"""Description: the content of `bundle.json`."""

from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.decision.policy import Decision
from weld_pipeline.runtime.contracts import AnomalyInput, InputContract, Part


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

    format: Literal[3]
    family: str
    classes: list[str] = Field(min_length=2)
    good_class: str
    input: InputContract
    decision: Decision
    """Calibrator and policy: how the graph's answer becomes a probability and a verdict. The graph has the temperature inside."""
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
    def _names_agree(self) -> "BundleDescription":
        if self.good_class not in self.classes:
            raise ValueError(f"good class {self.good_class!r} is none of {self.classes}")
        if isinstance(self.input, AnomalyInput) != (self.decision.policy.kind == "score"):
            raise ValueError(f"policy {self.decision.policy.kind!r} does not judge input {self.input.contract!r}")
        if isinstance(self.input, AnomalyInput) and self.classes != [self.good_class, ANOMALOUS]:
            raise ValueError(f"classes {self.classes} of a detector, expected [{self.good_class!r}, {ANOMALOUS!r}]")
        return self

    @property
    def sample_bits(self) -> int | None:
        """Bits of the samples of 16-bit images whose files do not say; None: 16, or it inspects video."""
        return getattr(self.input, "sample_bits", None)


def first_fault(error: ValidationError) -> str:
    """Return where a description is wrong first, and how."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
