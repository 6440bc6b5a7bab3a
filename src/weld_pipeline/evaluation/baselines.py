"""Confound baselines: the score of guesses without looking at the weld, on the rows of the model.

There are two fits for two questions. *Within the test rows, leave-one-out*: how well do session, set-up or brightness
predict the label? This needs only the table, so it works for external predictions too. *From the train rows*: how much of
this could the model learn? Where sessions are disjoint, the session predicts nothing there.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from weld_pipeline.evaluation.confounds import (
    N_NEIGHBOURS,
    brightness_baseline,
    lookup_baseline,
    transferred_brightness,
    transferred_lookup,
)
from weld_pipeline.evaluation.estimates import Estimate, Scored, Sessions, score_labels

FitOn = Literal["test", "train"]
# Column: its name in a sentence. `majority` is a column of one value.
CONFOUNDS = {"majority": "nothing", "session": "session", "config": "set-up", "mean_luma": "mean brightness"}
_RULES: dict[FitOn, str] = {
    "test": "commonest label of the other test rows of the same {word} (leave-one-out); a row alone in its {word} gets "
    "the commonest of all other rows; ties go to the label commoner among all other rows, then alphabetically",
    "train": "commonest label of the train rows of the same {word}; a {word} that is not in train gets the commonest "
    "label of train; ties go to the label commoner in train, then alphabetically",
}
_BRIGHTNESS_RULES: dict[FitOn, str] = {
    "test": f"commonest label of the {N_NEIGHBOURS} test rows of other sessions nearest in mean brightness",
    "train": f"commonest label of the {N_NEIGHBOURS} train rows nearest in mean brightness",
}
_MAJORITY_RULES: dict[FitOn, str] = {
    "test": "commonest label of the test rows",
    "train": "commonest label of the train rows",
}


@dataclass(frozen=True)
class Baseline:
    """One guess without looking at the weld.

    Attributes:
        name: Column that the guess uses: a key of `CONFOUNDS`.
        fit_on: Rows it is fitted on: `test` for leave-one-out within the test rows, or `train`.
        rates: Every metric of `metrics.RATES`.
        margin: Accuracy of the model minus accuracy of the guess, over the same draws of sessions.
    """

    name: str
    fit_on: FitOn
    rule: str
    rates: dict[str, Estimate]
    margin: Estimate


def confound_baselines(
    table: pd.DataFrame, model: Scored, *, sessions: Sessions, good: Collection[str], train: pd.DataFrame | None
) -> tuple[list[Baseline], list[str]]:
    """Return every baseline that the columns allow, and a sentence for each that they do not.

    Args:
        table: Test rows with `label`, `session` and perhaps `config` and `mean_luma`.
        train: Rows the model was trained on, with the same columns; None where unknown.
    """
    rows = table.assign(majority="all")
    sources: dict[FitOn, pd.DataFrame] = {"test": rows}
    if train is not None:
        sources["train"] = train.assign(majority="all")
    baselines, gaps = [], []
    for fit_on, source in sources.items():
        for name, word in CONFOUNDS.items():
            if reason := _why_not(name, rows, source, is_within=fit_on == "test"):
                gaps.append(f"No baseline from {word} ({fit_on} rows): {reason}.")
                continue
            guess = _within(rows, name) if fit_on == "test" else _transferred(source, rows, name)
            scored = score_labels(
                rows["label"].tolist(),
                guess.tolist(),
                sessions=sessions,
                good=good,
                classes=sorted({*model.classes, *guess.tolist()}),
            )
            baselines.append(
                Baseline(name, fit_on, _rule(name, fit_on), scored.rates, _margin(model, scored, sessions))
            )
    return baselines, gaps


def _why_not(name: str, rows: pd.DataFrame, source: pd.DataFrame, *, is_within: bool) -> str | None:
    for table in (rows, source):
        if name not in table:
            return "no such column is known"
        if n_missing := int(table[name].isna().sum()):
            return f"it is unknown for {n_missing} of {len(table)} rows"
    if is_within and len(rows) == 1:
        return "there is one row, and none is left when it is left out"
    if is_within and name == "mean_luma" and len(set(rows["session"])) == 1:
        return "all rows are of one session, and none is left when it is left out"
    if not len(source):
        return "there are no such rows"
    return None


def _within(rows: pd.DataFrame, name: str) -> Shaped[np.ndarray, " N"]:
    labels = rows["label"].tolist()
    if name == "mean_luma":
        return brightness_baseline(labels, rows[name].to_numpy(float), rows["session"].tolist())
    if name == "majority":  # leave-one-out would guess wrong in every row of two equal classes
        return transferred_lookup(labels, rows[name].tolist(), rows[name].tolist())
    return lookup_baseline(labels, rows[name].tolist())


def _transferred(train: pd.DataFrame, rows: pd.DataFrame, name: str) -> Shaped[np.ndarray, " N"]:
    labels = train["label"].tolist()
    if name == "mean_luma":
        return transferred_brightness(labels, train[name].to_numpy(float), rows[name].to_numpy(float))
    return transferred_lookup(labels, train[name].tolist(), rows[name].tolist())


def _rule(name: str, fit_on: FitOn) -> str:
    if name == "mean_luma":
        return _BRIGHTNESS_RULES[fit_on]
    return _MAJORITY_RULES[fit_on] if name == "majority" else _RULES[fit_on].format(word=CONFOUNDS[name])


def _margin(model: Scored, guess: Scored, sessions: Sessions) -> Estimate:
    # Both are scored on the same draws, so an easy session counts for both.
    difference = float(np.trace(model.confusion) - np.trace(guess.confusion)) / float(model.confusion.sum())
    return sessions.estimate(difference, model.resampled["accuracy"] - guess.resampled["accuracy"])
