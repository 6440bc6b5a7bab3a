"""Metrics of one confusion matrix or of many at once.

scikit-learn has each of them for one table of rows. The bootstrap needs them for thousands of resampled tables. All are
functions of the confusion matrix, so they are written here once for a stack of matrices; the tests compare them with
scikit-learn's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from weld_pipeline.core.errors import WeldError

RATES = (
    "accuracy",
    "macro_f1",
    "balanced_accuracy",
    "defect_recall",
    "good_specificity",
    "escape_rate",
    "false_reject_rate",
)


@dataclass(frozen=True)
class ClassScores:
    """Metrics of each class; the last axis is the class, NaN where a ratio has an empty denominator.

    Attributes:
        recall: Share of the class's rows that are predicted as this class.
        precision: Share of the rows predicted as this class that are of it.
        f1: Harmonic mean of both; NaN for a class that is neither true nor predicted anywhere.
    """

    recall: Float[np.ndarray, "*B K"]
    precision: Float[np.ndarray, "*B K"]
    f1: Float[np.ndarray, "*B K"]


def class_indices(values: Sequence[str], classes: Sequence[str], *, what: str) -> Int[np.ndarray, " N"]:
    """Return the position of each value in `classes`.

    Args:
        classes: All names, in the order of the matrix.
        what: Name of the values for the message.

    Raises:
        WeldError: If a value is none of the classes.
    """
    position = {name: index for index, name in enumerate(classes)}
    unknown = sorted({value for value in values if value not in position})
    if unknown:
        raise WeldError(
            f"{what} {unknown[0]!r} is none of the classes {list(classes)}; mend the table or the class list"
        )
    return np.array([position[value] for value in values], dtype=np.int64)


def grouped_confusion(
    label_of: Int[np.ndarray, " N"],
    predicted_of: Int[np.ndarray, " N"],
    group_of: Int[np.ndarray, " N"],
    *,
    n_classes: int,
    n_groups: int,
) -> Int[np.ndarray, "G K K"]:
    """Return the confusion matrix of each group: rows are true classes, columns predicted ones."""
    counts = np.zeros((n_groups, n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (group_of, label_of, predicted_of), 1)
    return counts


def class_scores(confusion: Num[np.ndarray, "*B K K"]) -> ClassScores:
    """Return recall, precision and F1 of each class."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    n_true, n_predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    return ClassScores(
        recall=ratio(hits, n_true), precision=ratio(hits, n_predicted), f1=ratio(2 * hits, n_true + n_predicted)
    )


def rates(
    confusion: Num[np.ndarray, "*B K K"],
    is_good: Bool[np.ndarray, " K"],
    *,
    drawn_from: Int[np.ndarray, "K K"] | None = None,
) -> dict[str, Float[np.ndarray, "*B"]]:
    """Return every metric named in `RATES`; NaN where it is undefined.

    Macro-F1 averages over the classes that occur as truth or prediction, balanced accuracy over those that occur as
    truth, both as scikit-learn does. An escape is a defective weld predicted as good. A false reject is a good weld
    predicted as defective. A defect mistaken for another defect is neither. Without a good class none of them is defined.

    Args:
        confusion: Counts, rows true, columns predicted.
        drawn_from: Matrix of the whole table, where `confusion` holds draws from it. A class with rows there but none in a
            draw is left out of that draw's macro-F1, not counted as missed.
    """
    scores = class_scores(confusion)
    if drawn_from is not None:
        is_not_drawn = (drawn_from.sum(axis=-1) > 0) & (confusion.sum(axis=-1) == 0)
        scores = replace(scores, f1=np.where(is_not_drawn, np.nan, scores.f1))
    total = confusion.sum(axis=(-2, -1))
    hits = np.trace(confusion, axis1=-2, axis2=-1)
    of_bad, of_good = confusion[..., ~is_good, :], confusion[..., is_good, :]
    # Where no class is good nothing can be predicted as good, and no escape is not a merit.
    n_bad = of_bad.sum(axis=(-2, -1)) * is_good.any()
    escapes = ratio(of_bad[..., is_good].sum(axis=(-2, -1)), n_bad)
    rejects = ratio(of_good[..., ~is_good].sum(axis=(-2, -1)), of_good.sum(axis=(-2, -1)))
    return {
        "accuracy": ratio(hits, total),
        "macro_f1": _mean_of_defined(scores.f1),
        "balanced_accuracy": _mean_of_defined(scores.recall),
        "defect_recall": np.asarray(1 - escapes),
        "good_specificity": np.asarray(1 - rejects),
        "escape_rate": escapes,
        "false_reject_rate": rejects,
    }


def pass_fail(confusion: Int[np.ndarray, "K K"], is_good: Bool[np.ndarray, " K"]) -> dict[str, int]:
    """Return the four counts of the two-class view: defects caught and escaped, good welds passed and rejected."""
    return {
        "caught": int(confusion[~is_good][:, ~is_good].sum()),
        "escaped": int(confusion[~is_good][:, is_good].sum()),
        "passed": int(confusion[is_good][:, is_good].sum()),
        "rejected": int(confusion[is_good][:, ~is_good].sum()),
    }


def auroc(
    scores: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], weights: Num[np.ndarray, "R N"]
) -> Float[np.ndarray, " R"]:
    """Return the area under the ROC curve for each row of weights; NaN where only good or only defective rows have weight.

    It is the probability that a defective weld scores above a good one; a tie counts half (Mann-Whitney).

    Args:
        scores: Higher is worse.
        weights: Weight of each row, e.g. in each resample.
    """
    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)  # equal scores stand together
    bad = np.add.reduceat(weights[:, order] * is_defect[order], starts, axis=1)  # [R, distinct scores]
    good = np.add.reduceat(weights[:, order] * ~is_defect[order], starts, axis=1)
    below = np.cumsum(good, axis=1) - good / 2
    return ratio((bad * below).sum(axis=1), bad.sum(axis=1) * good.sum(axis=1))


def ratio(
    numerator: Num[np.ndarray, "*B"] | np.number, denominator: Num[np.ndarray, "*B"] | np.number
) -> Float[np.ndarray, "*B"]:
    """Return a ratio as an array; NaN where the denominator is 0."""
    top, bottom = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    return np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=bottom > 0)


def _mean_of_defined(values: Float[np.ndarray, "*B K"]) -> Float[np.ndarray, "*B"]:
    return ratio(np.nansum(values, axis=-1), np.isfinite(values).sum(axis=-1))
