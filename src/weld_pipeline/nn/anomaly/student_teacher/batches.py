"""Batches for a student: good tiles in passes that run on across epochs, each with an image from elsewhere."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import OutOfDomain
from weld_pipeline.nn.training.loop import EpochShuffle
from weld_pipeline.nn.training.read_ahead import read_ahead

_AHEAD = 2


class StepSampler(EpochShuffle):
    """Epochs of a number of steps, whatever the number of images: each epoch goes on where the last one ended.

    Training is counted in steps (70,000 in the paper), and thirty images would make thousands of epochs of thirty steps,
    with a checkpoint after each. What it yields are places in the whole training, counted from 0.
    """

    def __init__(self, *, n_steps: int, batch_size: int) -> None:
        """Take the steps of an epoch and the images of a step."""
        super().__init__(n_steps * batch_size, batch_size=batch_size, seed=0)

    def __iter__(self) -> Iterator[list[int]]:
        first = self.epoch * self.n_rows
        places = range(first, first + self.n_rows)
        return iter([list(places[start : start + self.batch_size]) for start in range(0, self.n_rows, self.batch_size)])


class PassRows(Dataset[tuple[Tensor, Tensor]]):
    """Places in a training → good tiles and images from elsewhere, read or drawn when they are asked for.

    In each pass every tile comes once, in an order that depends on seed and pass alone.
    """

    def __init__(self, tiles: GoodTiles, elsewhere: OutOfDomain, *, seed: int) -> None:
        """Take where both come from."""
        self.tiles, self.elsewhere, self.seed = tiles, elsewhere, seed
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, np.int64))

    def __getitem__(self, places: list[int]) -> tuple[UInt8[Tensor, "B S S C"], UInt8[Tensor, "B S S C"]]:
        good = np.stack([self.tiles[self._tile(place)] for place in places])
        other = np.stack([self.elsewhere[place] for place in places])
        return torch.from_numpy(good), torch.from_numpy(other)

    def _tile(self, place: int) -> int:
        number, position = divmod(place, len(self.tiles))
        if self._order[0] != number:
            self._order = number, np.random.default_rng([self.seed, number]).permutation(len(self.tiles))
        return int(self._order[1][position])


class TileRows(Dataset[Tensor]):
    """Good tiles in their order."""

    def __init__(self, tiles: GoodTiles) -> None:
        """Take them."""
        self.tiles = tiles

    def __getitem__(self, index: list[int]) -> UInt8[Tensor, "B S S C"]:
        return torch.from_numpy(np.stack([self.tiles[row] for row in index]))


class _ReadAheadLoader(DataLoader[Any]):
    def __iter__(self) -> Any:
        return read_ahead(super().__iter__(), depth=_AHEAD)


def step_batches(
    tiles: GoodTiles, elsewhere: OutOfDomain, *, n_steps: int, batch_size: int, seed: int
) -> DataLoader[Any]:
    """Return batches for training, `n_steps` of them an epoch."""
    sampler = StepSampler(n_steps=n_steps, batch_size=batch_size)
    return _ReadAheadLoader(PassRows(tiles, elsewhere, seed=seed), batch_size=None, sampler=sampler)
