"""Standardiser of clip features: zero mean and unit standard deviation over the training clips."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError

# A feature whose standard deviation is a smaller share of its mean is rounding, not signal; dividing would amplify it.
_MIN_RELATIVE_STD = 1e-6


@dataclass(frozen=True)
class FeatureStatistics:
    """Mean and standard deviation per feature.

    Attributes:
        std: Standard deviation of each feature; 1 where the feature is constant.
    """

    mean: Float[np.ndarray, " F"]
    std: Float[np.ndarray, " F"]
    n_rows: int


def fit_statistics(chunks: Iterable[Float[np.ndarray, "_ F"]]) -> FeatureStatistics:
    """Return the statistics of rows that come in chunks, in one pass and in the memory of one chunk.

    Chunks are merged by the pairwise update of Chan, Golub and LeVeque (1983). A sum of squares would lose digits where the
    mean is large against the standard deviation.

    Raises:
        WeldError: If there is no row, or a value is not finite.
    """
    n_rows, mean, squares = 0, np.zeros(()), np.zeros(())
    for chunk in chunks:
        if not len(chunk):
            continue
        if not np.isfinite(chunk).all():
            raise WeldError(
                "clip features hold values that are not finite; check the trunk's weights and extract again"
            )
        rows = chunk.astype(np.float64)
        n_new, n_all = len(rows), n_rows + len(rows)
        delta = rows.mean(axis=0) - mean
        squares = squares + ((rows - rows.mean(axis=0)) ** 2).sum(axis=0) + delta**2 * n_rows * n_new / n_all
        mean, n_rows = mean + delta * n_new / n_all, n_all
    if n_rows == 0:
        raise WeldError("no training clip to standardise on; give the train split videos whose arc is on for a window")
    std = np.sqrt(squares / n_rows)
    is_constant = std <= _MIN_RELATIVE_STD * np.abs(mean)
    return FeatureStatistics(mean.astype(np.float32), np.where(is_constant, 1.0, std).astype(np.float32), n_rows)


class Standardizer(nn.Module):
    """(features - mean) / std as a module of buffers."""

    def __init__(self, statistics: FeatureStatistics) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.from_numpy(np.array(statistics.mean)))
        self.register_buffer("std", torch.from_numpy(np.array(statistics.std)))

    def forward(self, features: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        return (features - self.mean) / self.std
