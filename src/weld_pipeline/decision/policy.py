"""Policy: how a model's answer becomes a probability and a verdict.

A `Decision` is fitted on the calib split, stands in the catalog, travels in the bundle and decides in the runtime; tables,
reports and the parity gate ask the same record. No scipy here: the runtime has none.

References:
    [1] J. Platt, "Probabilistic outputs for support vector machines", 1999.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveFloat, model_validator

from weld_pipeline.core.shapes import Bool, Float

Outcome = Literal["pass", "fail"]


class Record(BaseModel):
    """A part of a decision. A key that this version does not know could change the verdict, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Platt(Record):
    """Platt's sigmoid [1]: p = 1 / (1 + exp(a·score + b))."""

    a: FiniteFloat
    """Slope; negative where a higher score is worse."""
    b: FiniteFloat
    """Offset."""

    def apply(self, score: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """Return the probability of a defect."""
        with np.errstate(over="ignore"):  # exp may overflow to infinity, whose inverse is the right probability
            return np.asarray(1 / (1 + np.exp(self.a * np.asarray(score, dtype=float) + self.b)))


class Calibrator(Record):
    """From logits and score to probabilities, as far as the calib split could teach it."""

    temperature: PositiveFloat | None
    """Number that divides all logits; null for a family without classes. Inside the graph it is applied already."""
    platt: Platt | None
    """Score to probability of a defect; null where `no_probability` says why."""
    no_probability: str | None
    """Reason why there is no probability; null where there is one."""
    split: Literal["calib", "valid"]
    """Split it was fitted on."""
    n_good: int = Field(ge=0)
    """Good samples it was fitted on."""
    n_defect: int = Field(ge=0)
    """Defective samples it was fitted on."""

    @model_validator(mode="after")
    def _says_why(self) -> "Calibrator":
        if (self.platt is None) == (self.no_probability is None):
            raise ValueError("either platt or no_probability must be given, and the other be null")
        return self

    def apply(self, score: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"] | None:
        """Return the probability of a defect, or None where there is none."""
        return None if self.platt is None else self.platt.apply(score)


@dataclass(frozen=True)
class Answers:
    """Answers of a model to N samples.

    Attributes:
        predicted: Most probable class; None for a family without classes.
        score: Higher is worse.
        p_defect: Calibrated probability of a defect; None where there is none.
    """

    predicted: Sequence[str] | None
    score: Float[np.ndarray, " N"]
    p_defect: Float[np.ndarray, " N"] | None


class ClassPolicy(Record):
    """Every class but the good one fails; for models that nothing was calibrated for."""

    kind: Literal["class"]
    good_class: str
    threshold: None = None
    """No number decides."""

    def fails(self, answers: Answers) -> Bool[np.ndarray, " N"]:
        """Return which samples fail."""
        assert answers.predicted is not None  # only families with classes get this policy
        return np.array([name != self.good_class for name in answers.predicted], dtype=bool)

    def describe(self) -> str:
        """Return the rule in words."""
        return f"fail where the class is not {self.good_class}; nothing was calibrated"


class ProbabilityPolicy(Record):
    """A sample fails from a calibrated probability on."""

    kind: Literal["p_defect"]
    threshold: float = Field(gt=0, lt=1)
    """Probability of a defect from which a sample fails."""

    def fails(self, answers: Answers) -> Bool[np.ndarray, " N"]:
        """Return which samples fail."""
        assert answers.p_defect is not None  # `Decision` refuses this policy without a probability
        return answers.p_defect >= self.threshold

    def describe(self) -> str:
        """Return the rule in words."""
        return f"fail from p_defect {self.threshold:.3f}"


class ScorePolicy(Record):
    """A sample fails from a score on."""

    kind: Literal["score"]
    threshold: FiniteFloat
    """Score from which a sample fails."""
    chosen_by: Literal["f1", "conformal"]
    """How the threshold was chosen."""
    unit: Literal["image", "tile"]
    """What it was chosen on: images, or tiles of long ones, any of which makes its image fail."""
    n_good_sessions: int | None
    """Sessions that the good samples come from; null if not told."""
    false_reject_rate: float | None
    """Promised share of good images that fail, at most; null where none is promised. For tiles it follows from theirs by the
    union bound, whatever tiles of one image have in common."""
    false_reject_rate_95: float | None
    """The same share for this one threshold: it stays below this in 95 of 100 choices of calib images."""
    calib_f1: float | None
    """F1 on the calib images that the threshold was chosen on; null where they are of one kind."""
    promise: str = Field(min_length=1)
    """What the threshold promises, and what not, in words."""

    def fails(self, answers: Answers) -> Bool[np.ndarray, " N"]:
        """Return which samples fail."""
        return answers.score >= self.threshold

    def describe(self) -> str:
        """Return the rule in words."""
        return f"fail from score {self.threshold:.4g} ({self.chosen_by}): {self.promise}"


Policy = Annotated[ClassPolicy | ProbabilityPolicy | ScorePolicy, Field(discriminator="kind")]


class Decision(Record):
    """Everything between a model's answer and the verdict."""

    calibrator: Calibrator | None
    """Probabilities; null where there was no split to fit them on."""
    policy: Policy
    """Rule of the verdict."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Decision":
        if self.policy.kind == "p_defect" and (self.calibrator is None or self.calibrator.platt is None):
            raise ValueError("policy p_defect needs a calibrator with platt")
        return self

    @property
    def temperature(self) -> float:
        """Return what divides the logits; 1 where nothing was fitted."""
        return self.calibrator.temperature or 1.0 if self.calibrator else 1.0

    def p_defect(self, score: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"] | None:
        """Return the calibrated probability of a defect, or None where there is none."""
        return None if self.calibrator is None else self.calibrator.apply(score)

    def fails(self, *, score: Float[np.ndarray, " N"], predicted: Sequence[str] | None) -> Bool[np.ndarray, " N"]:
        """Return which samples fail."""
        return self.policy.fails(Answers(predicted, score, self.p_defect(score)))

    def decide(self, *, score: float, predicted: str | None) -> tuple[Outcome, float | None]:
        """Return verdict and calibrated probability of one sample."""
        one = np.array([score], dtype=float)
        p_defect = self.p_defect(one)
        fails = self.fails(score=one, predicted=None if predicted is None else [predicted])
        return "fail" if fails[0] else "pass", None if p_defect is None else float(p_defect[0])
