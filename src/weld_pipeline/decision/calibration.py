"""Calibration: temperature and Platt's sigmoid, fitted so that a probability can be believed.

Fit on the calib split only: on train a model is surer than it has a right to be, and a map fitted on test reports
its own success.

References:
    [1] J. Platt, "Probabilistic outputs for support vector machines", 1999.
    [2] H.-T. Lin, C.-J. Lin, R. Weng, "A note on Platt's probabilistic outputs for support vector machines", 2007.
    [3] C. Guo et al., "On calibration of modern neural networks", ICML 2017.
"""

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Bool, Float, Int
from weld_pipeline.decision.policy import Platt

# A temperature outside these makes probabilities that are all but uniform, or all but 0 and 1.
_LOG_T_BOUNDS = (np.log(0.05), np.log(20.0))


def fit_temperature(logits: Float[np.ndarray, "N K"], label_of: Int[np.ndarray, " N"]) -> float:
    """Return the temperature that makes the labels most likely.

    The target of the true class is (N + 1)/(N + 2) instead of 1, as Platt's prior [1] has it for N successes in N
    trials: without it a small set without a single error would send the temperature to zero.

    Raises:
        WeldError: If there is no row, a number is not finite, an index is no class, or only one class occurs.
    """
    _finite("logits", logits)
    n_rows, n_classes = logits.shape
    present = np.unique(label_of)
    if len(present) <= 1:
        raise WeldError(
            f"temperature: the calib split holds {n_rows} rows of {len(present)} class(es), which says nothing of the "
            "others; give it rows of at least two classes"
        )
    if present[0] < 0 or present[-1] >= n_classes:
        raise WeldError(f"temperature: label index {present[-1]} for {n_classes} classes; labels and logits differ")
    true_share = (n_rows + 1) / (n_rows + 2)
    targets = np.full(logits.shape, (1 - true_share) / (n_classes - 1))
    targets[np.arange(n_rows), label_of] = true_share

    def loss(log_t: float) -> float:
        return float(-(targets * log_softmax(logits / np.exp(log_t), axis=1)).sum(axis=1).mean())

    found = minimize_scalar(loss, bounds=_LOG_T_BOUNDS, method="bounded")  # type: ignore[no-untyped-call]
    return float(np.exp(found.x))


def fit_platt(score: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"]) -> Platt:
    """Return the sigmoid that makes the truth most likely, with Platt's smoothed targets.

    The loss is the numerically safe form of [2]. Scores are scaled to unit spread while fitting, so their unit
    does not matter.

    Args:
        score: Higher is worse; of the calib split.

    Raises:
        WeldError: If a score is not finite, or good or defective welds are missing.
    """
    _finite("scores", score)
    n_bad, n_good = int(is_defect.sum()), int((~is_defect).sum())
    if not n_bad or not n_good:
        raise WeldError(
            f"Platt calibration: the calib split holds {n_good} good and {n_bad} defective welds and needs both; "
            "put sessions of both kinds into it"
        )
    target = np.where(is_defect, (n_bad + 1) / (n_bad + 2), 1 / (n_good + 2))
    centre, spread = float(score.mean()), float(score.std()) or 1.0
    z = (np.asarray(score, dtype=float) - centre) / spread

    def loss_and_slope(parameters: Float[np.ndarray, " 2"]) -> tuple[float, Float[np.ndarray, " 2"]]:
        margin = parameters[0] * z + parameters[1]
        loss = np.logaddexp(0, -margin) + (1 - target) * margin  # -t·log p - (1 - t)·log(1 - p), p = sigmoid(margin)
        residual = expit(margin) - target
        return float(loss.sum()), np.array([(residual * z).sum(), residual.sum()])

    start = np.array([0.0, np.log((n_bad + 1) / (n_good + 1))])  # the prior alone, as in [1]
    slope, offset = minimize(loss_and_slope, start, jac=True, method="BFGS").x  # type: ignore[no-untyped-call]
    return Platt(a=float(-slope / spread), b=float(slope * centre / spread - offset))


def _finite(what: str, values: np.ndarray) -> None:
    if not len(values):
        raise WeldError(f"calibration: no {what}; the calib split is empty, so give it a share of the sessions")
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad:
        raise WeldError(f"calibration: {n_bad} of {values.size} {what} are not finite; look at the model's training")
