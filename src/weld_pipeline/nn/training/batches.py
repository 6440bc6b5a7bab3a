"""Batches of a training: their order, and the loader that reads ahead of the network."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from weld_pipeline.nn.training.read_ahead import read_ahead

_BATCHES_AHEAD = 2


class EpochShuffle(Sampler[list[int]]):
    """Batches of indices in an order that depends on seed and epoch alone, so a resumed epoch has the same batches."""

    def __init__(
        self, n_rows: int, *, batch_size: int, seed: int, balanced: Int[np.ndarray, " N"] | None = None
    ) -> None:
        """Set the size and the seed of the order.

        Args:
            balanced: Class of each row, if every class is to have the same share of an epoch. Rows of a rare class then
                come several times, and some rows of a frequent class do not come.
        """
        super().__init__()
        self.n_rows, self.batch_size, self.seed = n_rows, batch_size, seed
        self.balanced = balanced
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.n_rows / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(self.n_rows if self.balanced is None else _balanced(self.balanced, generator))
        # Batches have nearly equal sizes: a last batch of one row is a noisy step, and an error in a batch norm.
        return iter([part.tolist() for part in np.array_split(order, len(self))])


def _balanced(labels: Int[np.ndarray, " N"], generator: np.random.Generator) -> Int[np.ndarray, " N"]:
    """Return N rows in which every class has the same share, but for the remainder."""
    classes = generator.permutation(np.unique(labels))
    picked = []
    for place, label in enumerate(classes):
        n_wanted = len(labels) // len(classes) + (place < len(labels) % len(classes))
        rows = np.flatnonzero(labels == label)
        rounds = [generator.permutation(rows) for _ in range(math.ceil(n_wanted / len(rows)))]
        picked.append(np.concatenate(rounds)[:n_wanted])
    return np.concatenate(picked)


class ReadAheadLoader(DataLoader[Any]):
    """Reads the next batches in a thread while the network works on one."""

    def __iter__(self) -> Any:
        return read_ahead(super().__iter__(), depth=_BATCHES_AHEAD)


def shuffled(
    data: Dataset[Any], n_rows: int, *, batch_size: int, seed: int, balanced: Int[np.ndarray, " N"] | None = None
) -> DataLoader[Any]:
    """Return batches for training; a list of rows indexes `data`, `balanced` is as in `EpochShuffle`."""
    sampler = EpochShuffle(n_rows, batch_size=batch_size, seed=seed, balanced=balanced)
    return ReadAheadLoader(data, batch_size=None, sampler=sampler)


def in_order(data: Dataset[Any], n_rows: int, *, batch_size: int) -> DataLoader[Any]:
    """Return batches for validation; a list of rows indexes `data`."""
    parts = [list(range(first, min(first + batch_size, n_rows))) for first in range(0, n_rows, batch_size)]
    return ReadAheadLoader(data, batch_size=None, sampler=parts)


class FeatureRows(Dataset[Float[Tensor, "B F"]]):
    """Transformed rows of a matrix on disk, read a batch at a time."""

    def __init__(
        self,
        values: Float[np.ndarray, "N F"],
        rows: Int[np.ndarray, " n"],
        transform: Callable[[Float[Tensor, "B F"]], Float[Tensor, "B F"]],
    ) -> None:
        self.values, self.rows, self.transform = values, rows, transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: list[int]) -> Float[Tensor, "B F"]:
        return self.transform(torch.from_numpy(np.asarray(self.values[self.rows[index]])))
