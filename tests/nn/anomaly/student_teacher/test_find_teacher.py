"""Search for a teacher: which kind there is, and published patch networks, at their width."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.student_teacher.find_teacher import choose_teacher, read_patch_teacher, teacher_kind
from weld_pipeline.nn.anomaly.student_teacher.teacher import restore_teacher
from weld_pipeline.nn.anomaly.trunk import load_map_trunk, save_map_trunk

PX = 64


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    loaded, record = load_map_trunk(
        "resnet18",
        layers=("layer1", "layer2"),
        image_px=PX,
        weights="random",
        seed=0,
        folder=tmp_path_factory.mktemp("w"),
    )
    return save_map_trunk(loaded, record)


def published(names):
    """Tensors of a PDN-S with 5 channels under the names another implementation gives them."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((128, 3, 4, 4), (256, 128, 4, 4), (256, 256, 3, 3), (5, 256, 4, 4))
    found = {}
    for name, shape in zip(names, shapes, strict=True):
        found[f"{name}.weight"] = torch.randn(*shape, generator=generator) * 0.02
        found[f"{name}.bias"] = torch.randn(shape[0], generator=generator)
    return found


def test_teacher_is_distilled_where_no_patch_network_lies(tmp_path):
    def kind(option, weights="auto"):
        return teacher_kind(option, size="medium", weights=weights, folder=tmp_path)

    assert kind("auto") == "distilled"
    assert kind("auto", weights="mine.safetensors") == "pdn"
    (tmp_path / "pdn_medium.pth").touch()
    assert [kind(option) for option in ("auto", "slices")] == ["pdn", "slices"]


@pytest.mark.parametrize("names", [("conv1", "conv2", "conv3", "conv4"), ("0", "3", "6", "10")])
def test_published_patch_network_is_read_by_the_order_of_its_layers(names, tmp_path, trunk):
    tensors = published(names)
    save_file(tensors, tmp_path / "pdn_small.safetensors")
    model = choose_teacher("pdn", trunk=trunk, size="small", weights="auto", folder=tmp_path, n_channels=5)
    assert model.architecture["kind"] == "pdn"
    assert model.provenance["weights"]["sha256"]
    batch = torch.randn(1, 3, PX, PX)
    values = batch
    for number, name in enumerate(names):
        values = nn.functional.conv2d(values, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        values = values if number == 3 else values.relu()
        values = nn.functional.avg_pool2d(values, 2) if number < 2 else values
    torch.testing.assert_close(restore_teacher(model)(batch), values, rtol=1e-4, atol=1e-4)


def test_patch_network_that_is_missing_or_another_is_refused(tmp_path, trunk):
    with pytest.raises(WeldError, match=r"holds no pdn_medium.safetensors; put a distilled patch network there"):
        choose_teacher("pdn", trunk=trunk, size="medium", weights="auto", folder=tmp_path)
    save_file(published(("a1", "a2", "a3", "a4")), tmp_path / "w.safetensors")
    with pytest.raises(WeldError, match="are not of a patch network of size small with 384 channels"):
        read_patch_teacher(tmp_path / "w.safetensors", size="small")
