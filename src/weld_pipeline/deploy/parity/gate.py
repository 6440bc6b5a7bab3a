"""How far the bundle on disk and torch may differ, and what is said where they differ by more."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from weld_pipeline.core.errors import WeldError


@dataclass(frozen=True)
class Tolerances:
    """How far two ways to the same number may differ.

    Attributes:
        p: Any probability, graph against torch in float32.
        score: Score, and the anomaly of a video, relative to their size or 1, graph against torch.
        table_p: Any probability, graph against the predictions of the pipeline, whose features may be bfloat16.
            Where all are within it, the class can differ only if its lead was below twice this much.
    """

    p: float
    score: float
    table_p: float


@dataclass(frozen=True)
class AnomalyTolerances:
    """How far two ways to the same score and map may differ. No verdict may.

    Attributes:
        score: Score, graph against torch in float32, relative to its own size or the threshold's, whichever is larger:
            detectors count in units of their own.
        level: Any level of a map, graph against torch, in shares of the range that is coloured.
        table_score: Score, graph against the predictions of the pipeline, relative as above.
        table_p: `p_defect`, against the same.
    """

    score: float
    level: float
    table_score: float
    table_p: float


def check_within(
    tolerances: Tolerances, *, name: str, key: str, n_label_flips: int, p: float, score: float, table_p: float
) -> None:
    """Refuse a bundle that says something else of a file than torch, or than the predictions of the pipeline.

    Args:
        tolerances: What may differ.
        name: The file.
        key: Parameters the tolerances come from.
        n_label_flips: Answers in which graph and torch gave another class or verdict.
        p: Largest difference of a probability, graph against torch.
        score: Largest relative difference of a score, graph against torch.
        table_p: Largest difference of a probability from the predictions of the pipeline.

    Raises:
        WeldError: Naming the file and the numbers.
    """
    start = f"parity: {name}: "
    end = f"; nothing was released: look at the export of this model, or widen {key} with a reason"
    # `not a <= b` also refuses NaN.
    if n_label_flips:
        raise WeldError(
            f"{start}graph and torch disagree on {n_label_flips} labels (probabilities differ by up to {p:.2g}){end}"
        )
    for what, value, allowed in (
        ("probabilities of graph and torch differ", p, tolerances.p),
        ("scores of graph and torch differ", score, tolerances.score),
        ("probabilities differ from the predictions table", table_p, tolerances.table_p),
    ):
        if not value <= allowed:
            raise WeldError(f"{start}{what} by {value:.2g}, over {allowed:g}{end}")


def distance(a: Float[np.ndarray, " K"], b: Float[np.ndarray, " K"]) -> float:
    """Return the largest difference of two rows of numbers."""
    return float(np.abs(a - b).max())


def relative(got: float, wanted: float) -> float:
    """Return a difference relative to the size of what is wanted, or to 1."""
    return abs(got - wanted) / max(1.0, abs(wanted))
