"""Everything an evaluation says of one table of predictions, for every family and for anyone's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.baselines import Baseline, confound_baselines
from weld_pipeline.evaluation.caveats import limits
from weld_pipeline.evaluation.estimates import Estimate, Protocol, Sessions, score_labels
from weld_pipeline.evaluation.metrics import class_indices, pass_fail
from weld_pipeline.evaluation.reliability import Reliability, brier_terms, nll_terms, reliability


@dataclass(frozen=True)
class Shipped:
    """The two-class view of the verdict that is shipped, by the policy that the bundle carries.

    Attributes:
        rule: The policy in words.
        pass_fail: Counts: caught, escaped, passed, rejected.
        rates: defect_recall, good_specificity, escape_rate and false_reject_rate.
    """

    rule: str
    pass_fail: dict[str, int]
    rates: dict[str, Estimate]


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    All fields are plain values, so that it goes to JSON and back.

    Attributes:
        n: Rows.
        sessions: Their sessions, sorted.
        classes: In the order of `confusion`.
        good_classes: Those that are acceptable welds.
        confusion: Counts, rows true, columns predicted.
        pass_fail: Counts of the two-class view: caught, escaped, passed, rejected.
        rates: Every metric of `metrics.RATES`; where the columns allow also `auroc` of the score for a defect,
            `auroc_anomaly`, `brier`, `nll` and `brier_defect`.
        shipped: The same two-class view of the verdicts that are shipped, where there are any.
        per_class: recall, precision and f1 of each class.
        auroc_per_defect: For each column of scores, the AUROC of each defect class against the good welds.
        reliability: Curves of what was stated: `class` (the class said) and `defect` (p_defect).
        baselines: What would be scored without looking.
        notes: Sentences on what rests on too little or could not be computed.
        protocol: How it was judged.
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
    """Return what a table of predictions is worth.

    Args:
        table: One row a sample: `label`, `predicted`, `session`; where known `config`, `mean_luma`, `score` and
            `anomaly` (higher is worse), `p_defect`, and `p_<class>` for every class.
        good: Names of the acceptable classes; empty where there is no such thing.
        protocol: Resamples, level and when a number counts as resting on too little.
        classes: All classes of the model; those that occur, by default.
        train: Rows the model learnt from: `label` and confounds.
        fails: Verdict on each row, by the policy that is shipped; None where there is none.
        rule: That policy in words.

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
    names = np.array(["good", "defect"])
    scored = score_labels(
        names[is_defect.astype(int)].tolist(),
        names[fails.astype(int)].tolist(),
        sessions=sessions,
        good=["good"],
        classes=names.tolist(),
    )
    kept = ("defect_recall", "good_specificity", "escape_rate", "false_reject_rate")
    rates = {name: scored.rates[name] for name in kept}
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
