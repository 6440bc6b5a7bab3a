"""Batches of good tiles, normalised and read ahead of the network."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.training.read_ahead import read_ahead


def normalised_batches(
    tiles: GoodTiles, preprocess: MapPreprocess, *, batch_size: int
) -> Iterator[Float[Tensor, "B 3 S S"]]:
    """Yield all tiles in order, normalised.

    Args:
        batch_size: B, tiles a batch; the last batch may hold fewer.
    """
    for some in read_ahead(tiles.batches(batch_size)):
        yield preprocess.normalise(torch.from_numpy(some))
