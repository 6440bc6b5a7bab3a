"""The assembled detector: what fitting sees and what a file becomes are one way."""

import numpy as np
import torch
from torch import nn

from weld_pipeline.media.resize import resize_to_square
from weld_pipeline.nn.anomaly.graph import AnomalyGraph
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess

PREPROCESS = {"image_px": 16, "grey": True, "clahe_clip": 2.0, "smoothing": True}


class Brightness(nn.Module):
    """A detector whose map is the normalised pixel value."""

    def forward(self, images):
        return images[:, 0].amax(dim=(1, 2)), images[:, 0]


def graph(**options):
    return AnomalyGraph(MapPreprocess(**PREPROCESS, mean=[0.5] * 3, std=[0.25] * 3), Brightness(), **options)


def images(n=2):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 30, 41, 3), dtype=np.uint8))


def squares(grey=True):
    return torch.from_numpy(np.stack([resize_to_square(image, 16, grey=grey) for image in images().numpy()]))


def test_graph_that_resizes_sees_what_one_that_is_fed_squares_sees():
    for ours, theirs in zip(graph(resizes=True)(images()), graph()(squares()), strict=True):
        assert torch.equal(ours, theirs)


def test_network_sees_prepared_and_normalised_images():
    assembled = graph()
    prepared = assembled.preprocess.prepare(squares())
    _, maps = assembled(squares())
    assert torch.allclose(maps, (prepared[..., 0].float() / 255 - 0.5) / 0.25)


def test_nothing_of_it_is_trained():
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Dropout())
    assembled = AnomalyGraph(MapPreprocess(**PREPROCESS, mean=[0.5] * 3, std=[0.25] * 3), network.train())
    assert not assembled.training
    assert not network[1].training
    assert not [name for name, value in assembled.named_parameters() if value.requires_grad]
