"""Float32 scores counted by their own bits: any range, any number of them, memory that does not grow."""

import numpy as np
from jaxtyping import Float, Int, Num

_KEY_BITS = 24  # sign, exponent and 15 bits of the fraction: a bin is at most 1/32,768 of its scores wide
_SIGN = np.uint32(1 << 31)
_SHIFT = np.uint32(32 - _KEY_BITS)


class ScoreHistogram:
    """How much weight lies in each bin of scores.

    Args:
        dtype: Of the weights: whole numbers for pixels, float64 for shares.

    Attributes:
        weight: Of each bin, lowest scores first. They would fill 128 MiB, but pages that nothing was counted
            into take no memory, and the maps of one detector fill a few.
    """

    def __init__(self, dtype: type) -> None:
        self.weight: Num[np.ndarray, " V"] = np.zeros(1 << _KEY_BITS, dtype=dtype)

    def add(self, bins: Int[np.ndarray, " N"], weights: Float[np.ndarray, " N"] | None = None) -> None:
        """Count scores in, given their bins from `bins_of`; each counts one unless told otherwise."""
        if len(bins):
            low = int(bins.min())
            counts = np.bincount(bins - low, weights=weights)
            self.weight[low : low + len(counts)] += counts.astype(self.weight.dtype)

    def quantile(self, share: float) -> float:
        """Return the lowest score of the first bin at or below which this share of the weight lies.

        Args:
            share: In (0, 1]; something must have been counted.
        """
        used = np.flatnonzero(self.weight)
        below = np.cumsum(self.weight[used])
        return float(scores_of(used[[np.searchsorted(below, share * below[-1])]])[0])


def bins_of(scores: Float[np.ndarray, "*N"]) -> Int[np.ndarray, "*N"]:
    """Return the bin of each score: of two scores, the higher never lies in the lower bin.

    The bits of a float32 without sign ascend with it. Setting the sign bit of the positive ones and turning over all
    bits of the negative ones puts them in one order; the lowest eight bits are dropped.
    """
    bits = (np.asarray(scores, np.float32) + np.float32(0)).view(np.uint32)  # adding 0 makes -0 one with 0
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return (ordered >> _SHIFT).astype(np.int64)


def scores_of(bins: Num[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return the lowest score of each bin."""
    ordered = bins.astype(np.uint32) << _SHIFT
    return np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered).view(np.float32)
