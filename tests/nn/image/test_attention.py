"""Heat maps: where the class is decided, and which trunks have none."""

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.image.attention import heat_maps
from weld_pipeline.nn.image.classifier import ImageClassifier

STATISTICS = {"mean": [0.5] * 3, "std": [0.5] * 3}
CROPS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8))


def classifier(name):
    torch.manual_seed(0)
    network = ImageClassifier(
        trunk={"name": name, "crop_px": 64, **STATISTICS},
        head={"kind": "softmax", "n_classes": 3, "scale": 1.0, "margin": 0.0},
        preprocess={"resized_px": 72, "crop_px": 64, "grey": False, **STATISTICS},
        dropout=0.0,
    )
    return network.eval().requires_grad_(requires_grad=False)


@pytest.mark.parametrize("name", ["mobilenetv2_035", "resnet10t", "test_convnext"])
def test_heat_of_the_class_said_for_any_convolutional_trunk(name):
    network = classifier(name)
    heat, predicted = heat_maps(network, CROPS)
    assert heat.shape == (2, 64, 64)
    assert heat.min() >= 0
    assert set(heat.max(axis=(1, 2)).round(5)) <= {0.0, 1.0}
    with torch.inference_mode():
        assert predicted.tolist() == network.classify_crops(CROPS).argmax(dim=1).tolist()


def test_heat_lies_where_the_feature_that_decides_is():
    """The last map is replaced by one that fires top left alone, and the head reads that channel for class 1."""
    network = classifier("resnet10t")

    class TopLeft(torch.nn.Module):
        def forward(self, features):
            place = torch.zeros_like(features)
            place[:, 0, 0, 0] = 1
            return place * features.abs().sum() + place

    network.trunk.body.layer4 = torch.nn.Sequential(network.trunk.body.layer4, TopLeft())
    network.head.layer.weight.zero_()
    network.head.layer.weight[1, 0] = 1
    network.head.layer.bias.zero_()
    heat, predicted = heat_maps(network, CROPS[:1])
    assert predicted.tolist() == [1]
    assert heat[0, :16, :16].mean() > 0.5
    assert heat[0, 48:, 48:].max() == 0  # the map is 2×2, its centres at 16 and 48


def test_trunk_without_a_map_is_named():
    with pytest.raises(
        WeldError, match=r"trunk test_vit: its last features \(blocks.\d+\) are no map of channels first"
    ):
        heat_maps(classifier("test_vit"), CROPS)
