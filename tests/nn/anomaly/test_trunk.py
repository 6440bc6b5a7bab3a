"""Feature maps of trunks."""

from pathlib import Path

import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.trunk import MapTrunk, load_map_trunk, restore_map_trunk, save_map_trunk

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def trunk(name="resnet18", layers=("layer1", "layer2"), crop_px=64):
    return MapTrunk(name=name, crop_px=crop_px, layers=layers, mean=MEAN, std=STD)


@pytest.mark.parametrize(
    ("name", "layers", "crop_px", "sizes"),
    [
        ("resnet18", ("layer2", "layer3"), 64, ((8, 8), (4, 4))),
        ("mobilenetv2_100", ("blocks.2", "blocks.4"), 64, ((8, 8), (4, 4))),
        ("vit_tiny_patch16_224", ("blocks.3", "norm"), 96, ((6, 6), (6, 6))),
        ("swin_tiny_patch4_window7_224", ("layers.1",), 224, ((28, 28),)),
    ],
)
def test_any_kind_of_trunk_gives_maps(name, layers, crop_px, sizes):
    cut = trunk(name, layers, crop_px)
    maps = cut(torch.randn(2, 3, crop_px, crop_px))
    assert cut.sizes == sizes
    assert [tuple(each.shape) for each in maps] == [(2, c, *size) for c, size in zip(cut.channels, sizes, strict=True)]


def test_layers_behind_the_last_are_not_computed():
    whole = sum(value.numel() for value in trunk(layers=("layer4",)).parameters())
    cut = sum(value.numel() for value in trunk().parameters())
    assert cut < whole / 10


def test_layer_that_is_not_there_is_named_with_near_ones():
    with pytest.raises(WeldError, match=r"resnet18 has no layer 'layer9'.*e\.g\..*layer4"):
        trunk(layers=("layer2", "layer9"))


def test_layer_within_a_block_that_tracing_takes_as_one_is_refused():
    with pytest.raises(
        WeldError, match=r"read as a whole; set trunk\.layers to some of conv_stem, bn1, blocks, blocks\.0"
    ):
        trunk("mobilenetv2_100", layers=("blocks.2.0.bn1.drop",))


def test_maps_come_in_the_networks_order():
    assert trunk(layers=("layer2", "layer1")).channels == (64, 128)


def test_layer_without_a_map_is_refused():
    with pytest.raises(
        WeldError, match=r"^trunk \w+: the output \(\d+,\) of a layer is no map; name a layer before pooling$"
    ):
        trunk(layers=("global_pool",))


def test_image_of_a_size_the_trunk_does_not_take_is_refused():
    with pytest.raises(WeldError, match=r"50 px are not a multiple of its patches of 16 px; set image.image_px to 48"):
        trunk("vit_tiny_patch16_224", ("blocks.3",), 50)


def test_saved_trunk_gives_the_same_maps(tmp_path):
    loaded, record = load_map_trunk(
        "resnet18", layers=("layer1",), image_px=64, weights="random", seed=3, folder=Path(tmp_path)
    )
    again = restore_map_trunk(save_map_trunk(loaded, record))
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(loaded(images)[0], again(images)[0])
    assert record.is_random


def test_pretrained_tensors_reach_the_cut_network(tmp_path):
    import timm
    from safetensors.torch import save_file

    whole = timm.create_model("resnet18", pretrained=False)
    save_file(whole.state_dict(), tmp_path / "w.safetensors")
    loaded, record = load_map_trunk(
        "resnet18", layers=("layer2",), image_px=64, weights=str(tmp_path / "w.safetensors"), seed=0, folder=tmp_path
    )
    images = torch.randn(1, 3, 64, 64)
    expected = whole.eval().forward_intermediates(images, indices=[2], intermediates_only=True)[0]
    assert torch.allclose(loaded(images)[0], expected, atol=1e-5)
    assert not record.is_random
