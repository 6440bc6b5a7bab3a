"""The assembled detector: what fitting sees and what a file becomes are one way."""

import numpy as np
import torch
from torch import nn

from weld_pipeline.nn.anomaly.graph import AnomalyGraph
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess

PREPROCESS = {"image_px": 16, "grey": True, "clahe_clip": 2.0, "smoothing": True}


class Brightness(nn.Module):
    """A detector whose map is the normalised pixel value."""

    def forward(self, images):
        return images[:, 0].amax(dim=(1, 2)), images[:, 0]


def graph():
    return AnomalyGraph(MapPreprocess(**PREPROCESS, mean=[0.5] * 3, std=[0.25] * 3), Brightness())


def images(n=2):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 30, 41, 3), dtype=np.uint8))


def test_file_and_cached_image_become_the_same():
    assembled = graph()
    score, maps = assembled(images())
    cached_score, cached_maps = assembled.from_prepared(assembled.preprocess.prepare(images()))
    assert torch.equal(score, cached_score)
    assert torch.equal(maps, cached_maps)


def test_network_sees_prepared_and_normalised_images():
    assembled = graph()
    prepared = assembled.preprocess.prepare(images())
    _, maps = assembled(images())
    assert torch.allclose(maps, (prepared[..., 0].float() / 255 - 0.5) / 0.25)


def test_nothing_of_it_is_trained():
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Dropout())
    assembled = AnomalyGraph(MapPreprocess(**PREPROCESS, mean=[0.5] * 3, std=[0.25] * 3), network.train())
    assert not assembled.training
    assert not network[1].training
    assert not [name for name, value in assembled.named_parameters() if value.requires_grad]
