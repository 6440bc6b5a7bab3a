"""Any video network of torchvision, cut before its last layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.models import get_model, list_models, video

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.nn.state import fingerprint, load_tensors, tensors_of
from weld_pipeline.nn.video import trunk as trunks
from weld_pipeline.nn.video.trunk import VideoTrunk, load_trunk, restore_trunk, save_trunk
from weld_pipeline.nn.weights import choose as weights

FRAMES = torch.randint(0, 256, (2, 16, 60, 90, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", list_models(video))
def test_every_video_network_gives_embedding_and_400_logits(name):
    with torch.device("meta"):  # shapes without arithmetic
        trunk = VideoTrunk(name)
    size = trunk.preprocess.crop_size
    embedding, logits = trunk.encode(torch.empty(2, 3, 16, *size, device="meta"))
    assert embedding.shape == (2, trunk.embedding_size)
    assert logits.shape == (2, 400)


def test_logits_are_those_of_the_uncut_network(tmp_path):
    name, frames = "r3d_18", FRAMES[:1, :3]
    torch.manual_seed(0)
    network = get_model(name, weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    trunk, record = load_trunk(name, weights=str(tmp_path / "weights.pth"), seed=0, folder=tmp_path)
    with torch.inference_mode():
        expected = network(trunk.preprocess(frames))
        embedding, logits = trunk(frames)
    assert torch.allclose(logits, expected, atol=1e-4 * float(expected.abs().max()))
    assert torch.allclose(trunk.head(embedding), logits)
    assert (record.is_random, record.seed, record.licence) == (False, None, "unknown")


def test_convolution_at_the_end_of_s3d_becomes_linear():
    torch.manual_seed(0)
    network = get_model("s3d", weights=None).eval()
    network.features = torch.nn.Identity()  # the costly part is not cut
    features = torch.randn(2, 1024, 3, 8, 9)
    expected = network(features)
    body, head = trunks._cut(network)
    assert torch.allclose(head(body(features)), expected, atol=1e-5)


def test_r3d_18_has_the_published_width_and_size():
    """512 pooled features, 33,371,472 parameters: torchvision's model card."""
    with torch.device("meta"):
        trunk = VideoTrunk("r3d_18")
    assert trunk.embedding_size == 512
    assert sum(parameter.numel() for parameter in trunk.parameters()) == 33_371_472


def test_random_weights_depend_on_the_seed_alone(tmp_path):
    def build(seed):
        return load_trunk("r3d_18", weights="random", seed=seed, folder=tmp_path)[1]

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    record = build(0)
    assert torch.equal(torch.rand(3), expected)  # the random numbers of others are left alone
    assert build(0) == record
    assert build(1).sha256 != record.sha256


def test_random_weights_are_on_record(random_trunk):
    trunk, record = random_trunk
    assert (record.name, record.is_random, record.seed) == ("r3d_18.random", True, 0)
    assert fingerprint(trunk) == record.sha256


def test_random_weights_are_exact_in_bfloat16(random_trunk):
    trunk, _ = random_trunk
    assert all(torch.equal(p, p.bfloat16().float()) for p in trunk.parameters())


def test_trunk_survives_saving(random_trunk):
    trunk, record = random_trunk
    again = restore_trunk(save_trunk(trunk, record))
    assert fingerprint(again) == record.sha256
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_weights_of_the_table_are_taken_from_the_folder_and_recorded_with_their_hub(tmp_path, monkeypatch):
    network = get_model("s3d", weights=None)
    torch.save(network.state_dict(), tmp_path / "s3d-d76dad2f.pth")
    line = replace(weights.default_for("s3d"), sha256=sha256_file(tmp_path / "s3d-d76dad2f.pth"))
    monkeypatch.setattr(weights, "table", lambda: {line.name: line})
    for option in ("auto", line.name):
        trunk, record = load_trunk("s3d", weights=option, seed=0, folder=tmp_path)
        assert (record.name, record.source, record.sha256) == ("s3d.kinetics400_v1", line.url, line.sha256)
        assert not record.is_random
        assert torch.equal(trunk.head.bias, network.classifier[1].bias)


def test_unknown_trunk_names_those_there_are():
    with pytest.raises(WeldError, match=r"trunk 'r4d_18' is not known; choose one of .*r3d_18"):
        VideoTrunk("r4d_18")


def test_weights_of_another_trunk_are_refused(tmp_path):
    with pytest.raises(WeldError, match=r"mc3_18.kinetics400_v1 are for trunk mc3_18, not r3d_18"):
        load_trunk("r3d_18", weights="mc3_18.kinetics400_v1", seed=0, folder=tmp_path)
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(WeldError, match=r"do not fit trunk r3d_18 \("):
        load_trunk("r3d_18", weights=str(tmp_path / "w.pth"), seed=0, folder=tmp_path)


@pytest.mark.parametrize(("name", "window"), [("s3d", 8), ("mvit_v2_s", 32)])
def test_window_a_trunk_cannot_take_is_refused(name, window):
    trunk = VideoTrunk(name)
    trunk.check_window(16)
    with pytest.raises(WeldError, match=f"trunk {name} takes no clips of {window} frames"):
        trunk.check_window(window)


def test_tensors_of_another_shape_are_refused():
    layer = torch.nn.Linear(3, 2)
    tensors = tensors_of(layer) | {"weight": np.zeros((2, 4), np.float32)}
    with pytest.raises(WeldError, match="model for Linear: size mismatch for weight"):
        load_tensors(layer, tensors)
