"""Image metrics of an anomaly detector, from one score for each image; higher is worse.

All depend only on how many good and how many defective rows lie at or above each score. They take a stack of weights, as
`metrics.auroc` does: one call serves all draws of the bootstrap, and a histogram of pixels needs no code of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Num

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.bootstrap import BLOCK
from weld_pipeline.evaluation.estimates import Estimate, Sessions
from weld_pipeline.evaluation.metrics import ratio

TPR = 0.95


@dataclass(frozen=True)
class ImageMetrics:
    """Metrics of one score for each image.

    Attributes:
        estimates: `image_auroc`, `image_ap`, `image_f1_max` and `image_fpr_at_95_tpr`.
        f1_max_threshold: Score at or above which `image_f1_max` counts an image as defective; None where undefined. It is
            chosen on the judged images, so F1-max is an upper bound for a threshold chosen on other images.
        auroc_per_kind: AUROC of each kind of defect against all good images.
        notes: Sentences on numbers that rest on too few images.
    """

    estimates: dict[str, Estimate]
    f1_max_threshold: float | None
    auroc_per_kind: dict[str, Estimate]
    notes: list[str]


def average_precision(
    scores: Num[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], weights: Num[np.ndarray, "R N"]
) -> Float[np.ndarray, " R"]:
    """Return the average precision for each row of weights; NaN where there is no defect.

    It is the precision at each score, averaged over the defects at that score. Nothing is interpolated and equal scores
    count as one step, as in scikit-learn.
    """
    _, bad, good = _at_or_above(scores, is_defect, weights)
    precision = ratio(bad, bad + good)
    added = np.diff(bad, axis=1, prepend=0)
    return ratio((np.nan_to_num(precision) * added).sum(axis=1), bad[:, -1])


def f1_max(
    scores: Num[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], weights: Num[np.ndarray, "R N"]
) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, " R"]]:
    """Return the best F1 of any threshold, and that threshold, for each row of weights; NaN without a defect.

    A row counts as defective where its score is at or above the threshold. Of equally good thresholds the lowest is
    returned, because the fewest defects escape it.
    """
    values, bad, good = _at_or_above(scores, is_defect, weights)
    f1 = np.nan_to_num(ratio(2 * bad, bad + good + bad[:, -1:]))
    best = f1.shape[1] - 1 - f1[:, ::-1].argmax(axis=1)  # the last of equals
    is_defined = bad[:, -1] > 0
    found = f1[np.arange(len(f1)), best]
    return np.where(is_defined, found, np.nan), np.where(is_defined, values[best], np.nan)


def fpr_at_tpr(
    scores: Num[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], weights: Num[np.ndarray, "R N"], *, tpr: float
) -> Float[np.ndarray, " R"]:
    """Return the false-positive rate at a true-positive rate of at least `tpr`, for each row of weights.

    It is NaN where there are no good or no defective rows.

    Args:
        tpr: Share of defects at or above the threshold, in (0, 1].
    """
    _, bad, good = _at_or_above(scores, is_defect, weights)
    # The tolerance makes 19 of 20 equal 0.95 despite rounding.
    first = (bad >= tpr * bad[:, -1:] * (1 - 1e-12)).argmax(axis=1)
    rate = ratio(good[np.arange(len(good)), first], good[:, -1])
    return np.where(bad[:, -1] > 0, rate, np.nan)


def image_metrics(
    scores: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], kinds: Sequence[str], *, sessions: Sessions
) -> ImageMetrics:
    """Return the metrics of image scores, with intervals over sessions.

    Args:
        kinds: Label of each image.

    Raises:
        WeldError: If there is no image, or a score is not finite.
    """
    check_scores(scores)
    everything, kind_of = np.ones(len(scores), dtype=bool), np.asarray(kinds, dtype=str)
    measures: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "image_ap": lambda weights: average_precision(scores, is_defect, weights),
        "image_f1_max": lambda weights: f1_max(scores, is_defect, weights)[0],
        "image_fpr_at_95_tpr": lambda weights: fpr_at_tpr(scores, is_defect, weights, tpr=TPR),
    }
    estimates = {"image_auroc": sessions.auroc(scores, is_defect, everything)}
    has_both = bool(is_defect.any() and (~is_defect).any())
    for name, measure in measures.items():
        estimates[name] = _estimate(measure, is_defect, sessions, is_defined=has_both)
    per_kind = {
        kind: sessions.auroc(scores, is_defect, ~is_defect | (is_defect & (kind_of == kind)))
        for kind in sorted(set(kind_of[is_defect].tolist()))
    }
    threshold = float(f1_max(scores, is_defect, np.ones((1, len(scores))))[1][0]) if has_both else None
    return ImageMetrics(estimates, threshold, per_kind, _notes(is_defect, estimates, per_kind, sessions))


def check_scores(scores: Float[np.ndarray, " N"]) -> None:
    """Refuse an empty table and scores that are not finite."""
    if not len(scores):
        raise WeldError("anomaly scores: there are none; check that the split holds usable images")
    if n_bad := int((~np.isfinite(scores)).sum()):
        where = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise WeldError(
            f"anomaly scores: {n_bad} of {len(scores)} are not finite, the first in row {where}; fit the detector again "
            "and look at its features"
        )


def _estimate(
    measure: Callable[[np.ndarray], np.ndarray], is_defect: np.ndarray, sessions: Sessions, *, is_defined: bool
) -> Estimate:
    """Return one measure with its interval; like an AUROC, it rests on the rarer of good and defective."""
    rarer = is_defect if is_defect.sum() <= (~is_defect).sum() else ~is_defect
    if not is_defined:
        return sessions.estimate(np.nan, np.zeros(0), rarer)
    value = measure(np.ones((1, len(is_defect))))[0]
    draws = sessions.draws
    blocks = [measure(draws[start : start + BLOCK][:, sessions.of_row]) for start in range(0, len(draws), BLOCK)]
    return sessions.estimate(float(value), np.concatenate(blocks), rarer)


def _at_or_above(
    scores: np.ndarray, is_defect: np.ndarray, weights: np.ndarray
) -> tuple[Num[np.ndarray, " V"], Float[np.ndarray, "R V"], Float[np.ndarray, "R V"]]:
    """Return the distinct scores, highest first, and the weight of defective and of good rows at or above each."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    weighed = weights[:, order].astype(float)  # products of pixel counts overflow integers
    bad = np.add.reduceat(weighed * is_defect[order], starts, axis=1)
    good = np.add.reduceat(weighed * ~is_defect[order], starts, axis=1)
    return ordered[starts], np.cumsum(bad, axis=1), np.cumsum(good, axis=1)


def _notes(
    is_defect: np.ndarray, estimates: dict[str, Estimate], per_kind: dict[str, Estimate], sessions: Sessions
) -> list[str]:
    auroc, notes = estimates["image_auroc"], []
    if auroc.low is not None and auroc.low == auroc.high:
        notes.append(f"Every draw of sessions has an image AUROC of {auroc.low:.3g}: this does not bound rare errors.")
    for name, rows in (("good", ~is_defect), ("defective", is_defect)):
        n, n_sessions = int(rows.sum()), len(np.unique(sessions.of_row[rows]))
        if not n:
            notes.append(f"No {name} image: numbers that need both kinds are undefined.")
        elif sessions.is_small(n, n_sessions):
            of = f"{n} {name} images of {n_sessions} session(s)"
            notes.append(f"n is too small: {of}; do not rely on the intervals.")
    for kind, estimate in per_kind.items():
        if estimate.is_small:
            of = f"its AUROC rests on {estimate.n} images of {estimate.n_sessions} session(s)"
            notes.append(f"n is too small for {kind}: {of}; do not rely on its interval.")
    return notes
