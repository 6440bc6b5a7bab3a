"""Bootstrap over sessions: intervals for what the numbers might be on other days.

Welds of one session share a plate batch, a set-up and a camera position. They are not independent, so an interval over
rows is too narrow. The cluster bootstrap (Davison and Hinkley 1997, section 3.8) draws whole sessions with replacement;
the interval lies between percentiles of the metric over the draws.
"""

import numpy as np
from jaxtyping import Float, Int, Num

# 200 draws at a time keep the [draws, rows] product of a large table within some tens of megabytes.
BLOCK = 200


def session_draws(n_sessions: int, *, n_resamples: int, seed: int) -> Int[np.ndarray, "R S"]:
    """Return how often each session is drawn in each resample; every row sums to `n_sessions`."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_sessions, np.full(n_sessions, 1 / n_sessions), size=n_resamples)


def resampled_sums(draws: Int[np.ndarray, "R S"], per_session: Num[np.ndarray, "S *F"]) -> Num[np.ndarray, "R *F"]:
    """Return sums over the drawn sessions: of confusion matrices, bins or losses."""
    flat = per_session.reshape(len(per_session), -1)
    return (draws.astype(float) @ flat).reshape(len(draws), *per_session.shape[1:])


def percentile_interval(values: Float[np.ndarray, " R"], *, level: float) -> tuple[float, float] | None:
    """Return the central interval that holds `level` of the values, or None if none is defined.

    Draws in which the metric is undefined (a class was not drawn) are left out.
    """
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
