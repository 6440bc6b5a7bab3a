"""Reliability of stated probabilities: calibration error, Brier score, likelihood."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from weld_pipeline.evaluation.bootstrap import percentile_interval, resampled_sums

_TINY = 1e-12  # least probability, so that the log-likelihood of exactly zero is finite: 27.6 nats


@dataclass(frozen=True)
class Reliability:
    """Stated against observed probability, in equal bins of the stated one; empty bins are None.

    Attributes:
        stated: Mean stated probability in each bin.
        observed: Share of rows in each bin whose event happened.
        low: Lower end of its interval over sessions.
        high: Upper end of its interval over sessions.
        ece: Expected calibration error: the mean distance of stated and observed, weighted by n. It has no interval,
            because noise only increases it, so resamples lie above the estimate.
    """

    stated: list[float | None]
    observed: list[float | None]
    low: list[float | None]
    high: list[float | None]
    n: list[int]
    ece: float


def reliability(
    stated: Float[np.ndarray, " N"],
    came_true: Bool[np.ndarray, " N"],
    session_of: Int[np.ndarray, " N"],
    *,
    draws: Int[np.ndarray, "R S"],
    n_bins: int,
    level: float,
) -> Reliability:
    """Return the reliability curve of stated probabilities.

    Args:
        session_of: Index of each row's session.
        n_bins: Number of equal bins between 0 and 1.
    """
    bin_of = np.minimum((stated * n_bins).astype(np.int64), n_bins - 1)
    sums = np.zeros((draws.shape[1], n_bins, 3))  # per session and bin: rows, stated, came true
    np.add.at(sums, (session_of, bin_of), np.column_stack([np.ones(len(stated)), stated, came_true]))
    n, total_stated, total_true = sums.sum(axis=0).T
    with np.errstate(invalid="ignore"):
        resampled = resampled_sums(draws, sums)
        shares = resampled[..., 2] / resampled[..., 0]  # [R, C]; 0/0 is an empty bin
        mean_stated, mean_true = total_stated / n, total_true / n
    intervals = [percentile_interval(shares[:, index], level=level) or (None, None) for index in range(n_bins)]
    return Reliability(
        stated=_known(mean_stated),
        observed=_known(mean_true),
        low=[low for low, _ in intervals],
        high=[high for _, high in intervals],
        n=n.astype(int).tolist(),
        ece=float(np.abs(total_stated - total_true).sum() / n.sum()),
    )


def _known(values: Float[np.ndarray, " C"]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def brier_terms(probabilities: Float[np.ndarray, "N K"], label_of: Int[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return each row's squared error summed over the classes; its mean is the Brier score, 0 to 2."""
    return ((probabilities - np.eye(probabilities.shape[1])[label_of]) ** 2).sum(axis=1)


def nll_terms(probabilities: Float[np.ndarray, "N K"], label_of: Int[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return each row's negative log-likelihood [nat]."""
    return -np.log(np.maximum(probabilities[np.arange(len(label_of)), label_of], _TINY))
