"""Classifier predictions: from logits to a decision and to calibrated rows, one a sample."""

import numpy as np
import pandas as pd
from scipy.special import logsumexp, softmax

from weld_pipeline.core.samples import ClassList
from weld_pipeline.core.shapes import Float
from weld_pipeline.core.tables import PREDICTIONS, checked
from weld_pipeline.decision.calibration import fit_platt, fit_temperature
from weld_pipeline.decision.policy import Calibrator, ClassPolicy, Decision, ProbabilityPolicy


def defect_scores(logits: Float[np.ndarray, "N K"], classes: ClassList) -> Float[np.ndarray, " N"]:
    """Return the log-odds of "not good"; higher is worse.

    `nn.calibrated.defect_score` is the same inside a graph.
    """
    defects = np.delete(logits, classes.good_index, axis=1)
    return np.asarray(logsumexp(defects, axis=1) - logits[:, classes.good_index])


def fit_decision(
    logits: Float[np.ndarray, "N K"], labels: list[str], classes: ClassList, *, threshold: float
) -> Decision:
    """Return temperature, Platt's sigmoid and the threshold; by the class alone where calib is empty.

    Args:
        logits: Uncalibrated, of the calib split.
        threshold: The `p_defect` from which a weld fails.

    Raises:
        WeldError: If the calib split holds too little to fit on.
    """
    if not len(logits):
        return Decision(calibrator=None, policy=ClassPolicy(kind="class", good_class=classes.good))
    is_defect = np.array([label != classes.good for label in labels])
    calibrator = Calibrator(
        platt=fit_platt(defect_scores(logits, classes), is_defect),
        temperature=fit_temperature(logits, np.array([classes.names.index(label) for label in labels])),
        no_probability=None,
        split="calib",
        n_good=int((~is_defect).sum()),
        n_defect=int(is_defect.sum()),
    )
    return Decision(calibrator=calibrator, policy=ProbabilityPolicy(kind="p_defect", threshold=threshold))


def predictions_table(
    rows: pd.DataFrame, logits: Float[np.ndarray, "N K"], classes: ClassList, decision: Decision
) -> pd.DataFrame:
    """Return the predictions of samples, in the schema every family shares.

    Args:
        rows: Rows of the manifest, in the order of the logits.
        logits: Uncalibrated.
        decision: From `fit_decision`. Without a calibrator the probabilities are the network's own, and there is no
            `p_defect`.
    """
    score = defect_scores(logits, classes)
    probability = softmax(np.asarray(logits, dtype=float) / decision.temperature, axis=-1)
    table = rows[["sample_id", "session", "config", "split", "label", "is_defect"]].reset_index(drop=True)
    table["predicted"] = [classes.names[index] for index in logits.argmax(axis=1)]
    table["score"] = score
    for index, name in enumerate(classes.names):
        table[f"logit_{name}"] = logits[:, index]
    for index, name in enumerate(classes.names):
        table[f"p_{name}"] = probability[:, index]
    p_defect = decision.p_defect(score)
    if p_defect is not None:
        table["p_defect"] = p_defect
    return checked(table, PREDICTIONS)
