"""Evaluation of one table of predictions, for every family and for external predictions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.baselines import Baseline, confound_baselines
from weld_pipeline.evaluation.caveats import limits
from weld_pipeline.evaluation.estimates import (
    VERDICT_RATES,
    Estimate,
    Protocol,
    Sessions,
    score_labels,
    score_verdicts,
)
from weld_pipeline.evaluation.metrics import class_indices, pass_fail
from weld_pipeline.evaluation.reliability import Reliability, brier_terms, nll_terms, reliability


@dataclass(frozen=True)
class Shipped:
    """Two-class view of the shipped verdicts, by the policy in the bundle.

    Attributes:
        pass_fail: Counts of caught, escaped, passed and rejected.
        rates: Rates named in `estimates.VERDICT_RATES`.
    """

    rule: str
    pass_fail: dict[str, int]
    rates: dict[str, Estimate]


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on one table.

    All fields are plain values, so the record converts to JSON and back.

    Attributes:
        sessions: Sessions of the rows, sorted.
        classes: Classes in the order of `confusion`.
        confusion: Counts, rows true, columns predicted.
        pass_fail: Counts of the two-class view: caught, escaped, passed, rejected.
        rates: Every metric of `metrics.RATES`; where the columns allow also `auroc` of the score for a defect,
            `auroc_anomaly`, `brier`, `nll` and `brier_defect`.
        shipped: Two-class view of the shipped verdicts, where there are any.
        per_class: recall, precision and f1 of each class.
        auroc_per_defect: AUROC of each defect class against the good welds, for each column of scores.
        reliability: Reliability curves of `class` (the predicted class) and `defect` (p_defect).
        notes: Sentences on numbers that rest on too few rows or could not be computed.
    """

    n: int
    sessions: list[str]
    classes: list[str]
    good_classes: list[str]
    confusion: list[list[int]]
    pass_fail: dict[str, int]
    rates: dict[str, Estimate]
    shipped: Shipped | None
    per_class: dict[str, dict[str, Estimate]]
    auroc_per_defect: dict[str, dict[str, Estimate]]
    reliability: dict[str, Reliability]
    baselines: list[Baseline]
    notes: list[str]
    protocol: Protocol


def evaluate(
    table: pd.DataFrame,
    *,
    good: Collection[str],
    protocol: Protocol,
    classes: Sequence[str] | None = None,
    train: pd.DataFrame | None = None,
    fails: Bool[np.ndarray, " N"] | None = None,
    rule: str = "",
) -> Evaluation:
    """Return the evaluation of a table of predictions.

    Args:
        table: One row for each sample: `label`, `predicted`, `session`; where known `config`, `mean_luma`, `score` and
            `anomaly` (higher is worse), `p_defect`, and `p_<class>` for every class.
        good: Names of the acceptable classes; may be empty.
        classes: All classes of the model; by default those that occur.
        train: Rows the model was trained on: `label` and confounds.
        fails: Verdict on each row by the shipped policy; None where there is none.

    Raises:
        WeldError: If there is no row, or a label is no class.
    """
    labels, predicted = table["label"].tolist(), table["predicted"].tolist()
    names = list(classes) if classes else sorted({*labels, *predicted})
    sessions = Sessions.of(table["session"].tolist(), protocol)
    scored = score_labels(labels, predicted, sessions=sessions, good=good, classes=names)
    baselines, gaps = confound_baselines(table, scored, sessions=sessions, good=good, train=train)
    is_defect = ~np.isin(np.asarray(labels, dtype=str), sorted(good)) if good else np.zeros(len(labels), dtype=bool)
    has_both = bool(is_defect.any() and (~is_defect).any())
    return Evaluation(
        n=len(table),
        sessions=list(sessions.names),
        classes=names,
        good_classes=[name for name in names if name in good],
        confusion=scored.confusion.tolist(),
        pass_fail=pass_fail(scored.confusion, scored.is_good),
        rates=scored.rates | _probabilistic(table, names, is_defect, sessions, has_both=has_both),
        shipped=None if fails is None else _shipped(is_defect, fails, sessions, rule=rule),
        per_class=scored.per_class,
        auroc_per_defect=_auroc_per_defect(table, good, is_defect, sessions) if has_both else {},
        reliability=_reliability(table, names, is_defect, sessions, has_good=bool(good)),
        baselines=baselines,
        notes=limits(scored, sessions, good) + gaps,
        protocol=protocol,
    )


def _shipped(
    is_defect: Bool[np.ndarray, " N"], fails: Bool[np.ndarray, " N"], sessions: Sessions, *, rule: str
) -> Shipped:
    scored = score_verdicts(is_defect, fails, sessions=sessions)
    rates = {name: scored.rates[name] for name in VERDICT_RATES}
    return Shipped(rule, pass_fail(scored.confusion, scored.is_good), rates)


def _class_probabilities(table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray | None:
    columns = [f"p_{name}" for name in classes]
    present = [column for column in columns if column in table]
    if not present:
        return None
    if len(present) < len(columns):
        missing = sorted(set(columns) - set(present))
        raise WeldError(f"evaluation: columns {missing} are missing; give the probability of every class, or of none")
    return table[columns].to_numpy(float)


def _probabilistic(
    table: pd.DataFrame, classes: Sequence[str], is_defect: np.ndarray, sessions: Sessions, *, has_both: bool
) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    everything = np.ones(len(table), dtype=bool)
    for column, name in (("score", "auroc"), ("anomaly", "auroc_anomaly")):
        if column in table and has_both:
            found[name] = sessions.auroc(table[column].to_numpy(float), is_defect, everything)
    probabilities = _class_probabilities(table, classes)
    if probabilities is not None:
        label_of = class_indices(table["label"].tolist(), classes, what="true label")
        found["brier"] = sessions.mean(brier_terms(probabilities, label_of))
        found["nll"] = sessions.mean(nll_terms(probabilities, label_of))
    if "p_defect" in table:
        found["brier_defect"] = sessions.mean((table["p_defect"].to_numpy(float) - is_defect) ** 2)
    return found


def _auroc_per_defect(
    table: pd.DataFrame, good: Collection[str], is_defect: np.ndarray, sessions: Sessions
) -> dict[str, dict[str, Estimate]]:
    label = table["label"].to_numpy(str)
    return {
        column: {
            name: sessions.auroc(table[column].to_numpy(float), is_defect, ~is_defect | (label == name))
            for name in sorted(set(label.tolist()) - set(good))
        }
        for column in ("score", "anomaly")
        if column in table
    }


def _reliability(
    table: pd.DataFrame, classes: Sequence[str], is_defect: np.ndarray, sessions: Sessions, *, has_good: bool
) -> dict[str, Reliability]:
    protocol = sessions.protocol

    def curve(stated: np.ndarray, came_true: np.ndarray) -> Reliability:
        return reliability(
            stated,
            came_true,
            sessions.of_row,
            draws=sessions.draws,
            n_bins=protocol.n_bins,
            level=protocol.level,
        )

    found: dict[str, Reliability] = {}
    probabilities = _class_probabilities(table, classes)
    if probabilities is not None:
        label_of = class_indices(table["label"].tolist(), classes, what="true label")
        is_right = probabilities.argmax(axis=1) == label_of
        found["class"] = curve(probabilities.max(axis=1), is_right)
    if "p_defect" in table and has_good:
        found["defect"] = curve(table["p_defect"].to_numpy(float), is_defect)
    return found
