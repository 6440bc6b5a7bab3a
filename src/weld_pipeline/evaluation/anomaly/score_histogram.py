"""Histogram of float32 scores by their bits: any range, and memory that does not grow with their number."""

import numpy as np
from jaxtyping import Float, Int, Num

_KEY_BITS = 24  # sign, exponent and 15 bits of the fraction: a bin is at most 1/32,768 of its scores wide
_SIGN = np.uint32(1 << 31)
_SHIFT = np.uint32(32 - _KEY_BITS)


class ScoreHistogram:
    """Weight of the scores in each bin.

    Args:
        dtype: Type of the weights: whole numbers for pixels, float64 for shares.

    Attributes:
        weight: Weight of each bin, lowest scores first. All bins would fill 128 MiB, but untouched memory pages take no
            memory, and the maps of one detector touch few.
    """

    def __init__(self, dtype: type) -> None:
        self.weight: Num[np.ndarray, " V"] = np.zeros(1 << _KEY_BITS, dtype=dtype)

    def add(self, bins: Int[np.ndarray, " N"], weights: Float[np.ndarray, " N"] | None = None) -> None:
        """Add scores by their bins from `bins_of`; each weighs 1 unless `weights` are given."""
        if len(bins):
            low = int(bins.min())
            counts = np.bincount(bins - low, weights=weights)
            self.weight[low : low + len(counts)] += counts.astype(self.weight.dtype)

    def quantile(self, share: float) -> float:
        """Return the quantile of the scores: the lowest score of its bin.

        Args:
            share: Share of the weight at or below the quantile, in (0, 1]; the histogram must not be empty.
        """
        used = np.flatnonzero(self.weight)
        below = np.cumsum(self.weight[used])
        return float(scores_of(used[[np.searchsorted(below, share * below[-1])]])[0])


def bins_of(scores: Float[np.ndarray, "*N"]) -> Int[np.ndarray, "*N"]:
    """Return the bin of each score: of two scores, the higher never lies in the lower bin.

    The bits of positive float32 ascend with their values. Setting the sign bit of positive scores and inverting all bits
    of negative ones puts all in one order. The lowest eight bits are dropped.
    """
    bits = (np.asarray(scores, np.float32) + np.float32(0)).view(np.uint32)  # adding 0 turns -0 into 0
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return (ordered >> _SHIFT).astype(np.int64)


def scores_of(bins: Num[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return the lowest score of each bin."""
    ordered = bins.astype(np.uint32) << _SHIFT
    return np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered).view(np.float32)
