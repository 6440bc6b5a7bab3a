"""Estimates: a number, its interval over sessions, and the rows it rests on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.bootstrap import BLOCK, percentile_interval, resampled_sums, session_draws
from weld_pipeline.evaluation.metrics import auroc, class_indices, class_scores, grouped_confusion, rates

VERDICT_RATES = ("defect_recall", "good_specificity", "escape_rate", "false_reject_rate")


@dataclass(frozen=True)
class Protocol:
    """How numbers are estimated.

    Attributes:
        level: Confidence level of the intervals.
        n_resamples: Number of draws of the bootstrap.
        min_sessions: Fewest sessions for a reliable interval; on fewer, resamples take only a handful of values.
        min_samples: Fewest rows for a reliable interval.
        n_bins: Number of bins of the reliability plot.
    """

    level: float = 0.95
    n_resamples: int = 2000
    seed: int = 0
    min_sessions: int = 5
    min_samples: int = 10
    n_bins: int = 10


@dataclass(frozen=True)
class Estimate:
    """One number with its interval.

    Attributes:
        value: Number, or None where it is undefined (no good weld, no row predicted as this class).
        low: Lower end of the interval; None where the number is undefined or rests on one session.
        n: Number of rows it rests on: all, those of a class, or for an AUROC those of the rarer kind.
        is_small: Whether these are too few for a reliable interval.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_sessions: int
    is_small: bool

    @property
    def interval(self) -> list[float] | None:
        """Return both ends of the interval, or None where there is none."""
        return None if self.low is None or self.high is None else [self.low, self.high]


@dataclass(frozen=True)
class Sessions:
    """Session of each row, and the draws that all intervals of one evaluation share.

    Attributes:
        names: Names of the sessions, sorted.
        of_row: Index of each row's session.
        draws: Count of each session in each resample.
    """

    names: tuple[str, ...]
    of_row: Int[np.ndarray, " N"]
    draws: Int[np.ndarray, "R S"]
    protocol: Protocol

    @classmethod
    def of(cls, session: Sequence[str], protocol: Protocol) -> "Sessions":
        """Return the sessions of a table's rows."""
        names, of_row = np.unique(np.asarray(session, dtype=str), return_inverse=True)
        draws = session_draws(len(names), n_resamples=protocol.n_resamples, seed=protocol.seed)
        return cls(tuple(names.tolist()), of_row, draws, protocol)

    def is_small(self, n: int, n_sessions: int) -> bool:
        """Return whether a number rests on too few rows or sessions for a reliable interval."""
        return n < self.protocol.min_samples or n_sessions < self.protocol.min_sessions

    def estimate(
        self, value: float, resampled: Float[np.ndarray, " R"], rows: Bool[np.ndarray, " N"] | None = None
    ) -> Estimate:
        """Return a number with its interval.

        Args:
            value: Number on the whole table; NaN if undefined.
            rows: Rows it rests on; all by default.
        """
        of_row = self.of_row if rows is None else self.of_row[rows]
        n, n_sessions = len(of_row), len(np.unique(of_row))
        is_small = self.is_small(n, n_sessions)
        if not np.isfinite(value):
            return Estimate(None, None, None, n, n_sessions, is_small)
        interval = percentile_interval(resampled, level=self.protocol.level) if n_sessions > 1 else None
        low, high = interval or (None, None)
        return Estimate(float(value), low, high, n, n_sessions, is_small)

    def mean(self, terms: Float[np.ndarray, " N"]) -> Estimate:
        """Return the mean of one value for each row."""
        sums = np.zeros((len(self.names), 2))
        np.add.at(sums, self.of_row, np.column_stack([terms, np.ones(len(terms))]))
        resampled = resampled_sums(self.draws, sums)
        return self.estimate(float(terms.mean()), resampled[:, 0] / resampled[:, 1])

    def auroc(
        self, scores: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], rows: Bool[np.ndarray, " N"]
    ) -> Estimate:
        """Return the AUROC of `scores` for a defect among the chosen rows."""
        bad, of_row = is_defect[rows], self.of_row[rows]
        chosen = scores[rows]
        value = auroc(chosen, bad, np.ones((1, len(bad))))[0]
        blocks = [self.draws[start : start + BLOCK] for start in range(0, len(self.draws), BLOCK)]
        resampled = np.concatenate([auroc(chosen, bad, block[:, of_row]) for block in blocks])
        rarer = rows & (is_defect if bad.sum() <= (~bad).sum() else ~is_defect)
        return self.estimate(float(value), resampled, rarer)


@dataclass(frozen=True)
class Scored:
    """Scores of one column of predictions against the truth.

    Attributes:
        classes: Names in the order of the matrix.
        is_good: Which classes are acceptable welds.
        confusion: Counts, rows true, columns predicted.
        rates: Every metric of `metrics.RATES`.
        resampled: Every metric on each resample, for paired comparisons.
        per_class: recall, precision and f1 of each class.
    """

    classes: tuple[str, ...]
    is_good: Bool[np.ndarray, " K"]
    confusion: Int[np.ndarray, "K K"]
    rates: dict[str, Estimate]
    resampled: dict[str, Float[np.ndarray, " R"]]
    per_class: dict[str, dict[str, Estimate]]


def score_labels(
    labels: Sequence[str],
    predicted: Sequence[str],
    *,
    sessions: Sessions,
    good: Collection[str],
    classes: Sequence[str],
) -> Scored:
    """Return the scores of predicted labels against the true ones.

    Args:
        classes: All names that may occur.

    Raises:
        WeldError: If there is no row, or a label is none of the classes.
    """
    if not len(labels):
        raise WeldError("evaluation: the table holds no rows; there is nothing to score")
    truth = class_indices(labels, classes, what="true label")
    predicted_of = class_indices(predicted, classes, what="predicted label")
    is_good = np.array([name in good for name in classes])
    by_session = grouped_confusion(
        truth, predicted_of, sessions.of_row, n_classes=len(classes), n_groups=len(sessions.names)
    )
    confusion, resampled = by_session.sum(axis=0), resampled_sums(sessions.draws, by_session)
    point = rates(confusion, is_good)
    resampled_rates = rates(resampled, is_good, drawn_from=confusion)
    of_kind = {
        "defect_recall": ~is_good[truth],
        "escape_rate": ~is_good[truth],
        "good_specificity": is_good[truth],
        "false_reject_rate": is_good[truth],
    }
    scores, resampled_scores = class_scores(confusion), class_scores(resampled)
    per_class = {
        name: {
            metric: sessions.estimate(
                float(getattr(scores, metric)[index]), getattr(resampled_scores, metric)[:, index], truth == index
            )
            for metric in ("recall", "precision", "f1")
        }
        for index, name in enumerate(classes)
    }
    return Scored(
        classes=tuple(classes),
        is_good=is_good,
        confusion=confusion,
        rates={name: sessions.estimate(float(point[name]), resampled_rates[name], of_kind.get(name)) for name in point},
        resampled=resampled_rates,
        per_class=per_class,
    )


def score_verdicts(is_defect: Bool[np.ndarray, " N"], fails: Bool[np.ndarray, " N"], *, sessions: Sessions) -> Scored:
    """Return the scores of pass/fail verdicts, with the classes `good` and `defect`."""
    names = np.array(["good", "defect"])
    return score_labels(
        names[is_defect.astype(int)].tolist(),
        names[fails.astype(int)].tolist(),
        sessions=sessions,
        good=["good"],
        classes=names.tolist(),
    )
