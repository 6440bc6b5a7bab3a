"""Classifier predictions: from logits to calibrated rows, one a sample."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.special import logsumexp

from weld_pipeline.core.samples import ClassList
from weld_pipeline.core.tables import PREDICTIONS, checked
from weld_pipeline.decision.calibration import Platt, Temperature, fit_platt, fit_temperature


def run_scores(logits: Float[np.ndarray, "R K"], classes: ClassList) -> Float[np.ndarray, " R"]:
    """Return the log-odds of "not good"; higher is worse.

    `nn.calibrated.defect_score` is the same inside a graph.
    """
    return np.asarray(logsumexp(np.delete(logits, classes.good_index, axis=1), axis=1) - logits[:, classes.good_index])


def fit_calibration(
    logits: Float[np.ndarray, "R K"], labels: list[str], classes: ClassList, *, threshold: float
) -> dict[str, Any]:
    """Return temperature, Platt's sigmoid and the threshold, as JSON values.

    Args:
        logits: Of the calib split.
        labels: True classes of the same runs.
        classes: In the order of the logits.
        threshold: The `p_defect` from which a weld fails.

    Raises:
        WeldError: If the calib split holds too little to fit on.
    """
    is_defect = np.array([label != classes.good for label in labels])
    platt = fit_platt(run_scores(logits, classes), is_defect)
    temperature = fit_temperature(logits, np.array([classes.names.index(label) for label in labels]))
    return {
        "temperature": temperature.temperature,
        "platt_a": platt.a,
        "platt_b": platt.b,
        "threshold": threshold,
        "n_good": int((~is_defect).sum()),
        "n_defect": int(is_defect.sum()),
    }


def predictions_table(
    runs: pd.DataFrame, logits: Float[np.ndarray, "R K"], classes: ClassList, calibration: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the predictions of samples, in the schema every family shares.

    Args:
        runs: Rows of the manifest, in the order of the logits.
        logits: Uncalibrated.
        classes: In the order of the logits.
        calibration: From `fit_calibration`. Empty where nothing was fitted: then probabilities are the network's own,
            and there is no `p_defect`.
    """
    score = run_scores(logits, classes)
    probability = Temperature(calibration["temperature"] if calibration else 1.0).apply(logits)
    table = runs[["sample_id", "session", "config", "split", "label", "is_defect"]].reset_index(drop=True)
    table["predicted"] = [classes.names[index] for index in logits.argmax(axis=1)]
    table["score"] = score
    for index, name in enumerate(classes.names):
        table[f"logit_{name}"] = logits[:, index]
    for index, name in enumerate(classes.names):
        table[f"p_{name}"] = probability[:, index]
    if calibration:
        table["p_defect"] = Platt(calibration["platt_a"], calibration["platt_b"]).apply(score)
    return checked(table, PREDICTIONS)
