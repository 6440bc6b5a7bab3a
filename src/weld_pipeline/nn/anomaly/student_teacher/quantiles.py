"""Quantiles of more values than fit into memory, in one pass."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from weld_pipeline.core.errors import WeldError

# A bin is a positive float32 without its last 11 bits: exponent and 12 bits of mantissa, so a bin is at most 1/4096 of its
# values wide. Bit patterns of positive floats ascend with their values.
_SHIFT = 11
_N_BINS = 1 << (31 - _SHIFT)


class StreamQuantiles:
    """Counts non-negative values in a million bins of 0.02 % relative width, 8 MB whatever their number."""

    def __init__(self) -> None:
        self._counts: Int[np.ndarray, " K"] = np.zeros(_N_BINS, np.int64)

    def add(self, values: Float[np.ndarray, "..."]) -> None:
        """Count values.

        Raises:
            WeldError: If one is negative or not finite.
        """
        flat = np.ascontiguousarray(values, np.float32).ravel()
        if not (np.isfinite(flat).all() and (flat >= 0).all()):
            raise WeldError(
                "a map of the student holds values that cannot be squares (NaN, infinite or negative); "
                "lower student.training.learning_rate, or look at the teacher's weights"
            )
        np.add.at(self._counts, (np.abs(flat).view(np.uint32) >> _SHIFT).astype(np.int64), 1)

    def at(self, levels: Sequence[float]) -> list[float]:
        """Return the quantiles at some levels in [0, 1], each the lower edge of its bin.

        Raises:
            WeldError: If nothing was counted.
        """
        total = int(self._counts.sum())
        if not total:
            raise WeldError("no value to take quantiles of; give the valid split good images")
        ranks = [int(level * (total - 1)) + 1 for level in levels]
        bins = np.searchsorted(np.cumsum(self._counts), ranks)
        return [float(value) for value in (bins.astype(np.uint32) << np.uint32(_SHIFT)).view(np.float32)]
