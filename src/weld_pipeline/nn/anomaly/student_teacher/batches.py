"""Batches for a student: good tiles in passes that continue across epochs, each with a penalty image."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import PenaltyImages
from weld_pipeline.nn.training.batches import EpochShuffle, ReadAheadLoader


class StepSampler(EpochShuffle):
    """Epochs of a fixed number of steps; each epoch continues where the last one ended.

    Training is counted in steps (70,000 in the paper). Epochs of one pass over thirty images would be thousands, with a
    checkpoint after each. The sampler yields places in the whole training, counted from 0.
    """

    def __init__(self, *, n_steps: int, batch_size: int) -> None:
        super().__init__(n_steps * batch_size, batch_size=batch_size, seed=0)

    def __iter__(self) -> Iterator[list[int]]:
        first = self.epoch * self.n_rows
        places = range(first, first + self.n_rows)
        return iter([list(places[start : start + self.batch_size]) for start in range(0, self.n_rows, self.batch_size)])


class PassRows(Dataset[tuple[Tensor, Tensor]]):
    """Places in a training → good tiles and penalty images, read or drawn when needed.

    Each pass yields every tile once, in an order that depends on seed and pass alone.
    """

    def __init__(self, tiles: GoodTiles, penalty_images: PenaltyImages, *, seed: int) -> None:
        self.tiles, self.penalty_images, self.seed = tiles, penalty_images, seed
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, np.int64))

    def __getitem__(self, places: list[int]) -> tuple[UInt8[Tensor, "B S S C"], UInt8[Tensor, "B S S C"]]:
        good = np.stack([self.tiles[self._tile(place)] for place in places])
        penalty = np.stack([self.penalty_images[place] for place in places])
        return torch.from_numpy(good), torch.from_numpy(penalty)

    def _tile(self, place: int) -> int:
        number, position = divmod(place, len(self.tiles))
        if self._order[0] != number:
            self._order = number, np.random.default_rng([self.seed, number]).permutation(len(self.tiles))
        return int(self._order[1][position])


class TileRows(Dataset[Tensor]):
    """Good tiles in order."""

    def __init__(self, tiles: GoodTiles) -> None:
        self.tiles = tiles

    def __getitem__(self, index: list[int]) -> UInt8[Tensor, "B S S C"]:
        return torch.from_numpy(np.stack([self.tiles[row] for row in index]))


def step_batches(
    tiles: GoodTiles, penalty_images: PenaltyImages, *, n_steps: int, batch_size: int, seed: int
) -> DataLoader[Any]:
    """Return batches for training, `n_steps` in an epoch."""
    sampler = StepSampler(n_steps=n_steps, batch_size=batch_size)
    return ReadAheadLoader(PassRows(tiles, penalty_images, seed=seed), batch_size=None, sampler=sampler)
