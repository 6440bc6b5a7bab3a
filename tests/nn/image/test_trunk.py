"""Any network of timm without its classifier, its weights by the same policy as a video trunk's."""

import http.server
import threading
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.nn.image.trunk import (
    ImageTrunk,
    freeze_stages,
    load_image_trunk,
    save_image_trunk,
    stages,
)
from weld_pipeline.nn.state import fingerprint, load_tensors
from weld_pipeline.nn.weights import table as weights_lines
from weld_pipeline.nn.weights.choose import fetch, find_local, line_of, table
from weld_pipeline.nn.weights.table import default_image_line, image_line

PLAIN = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


@pytest.fixture(autouse=True)
def no_cache(tmp_path, monkeypatch):
    """Nothing of this machine's caches is found, and no hub is asked."""
    monkeypatch.setattr(weights_lines, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def load(name, folder, weights="random", **options):
    return load_image_trunk(name, **{"crop_px": 32, "seed": 0} | options, weights=weights, folder=folder)


def test_line_has_timms_own_numbers():
    """Timm's model card of convnextv2_nano.fcmae_ft_in22k_in1k_384."""
    line = image_line("convnextv2_nano.fcmae_ft_in22k_in1k_384")
    assert (
        line.url == "https://huggingface.co/timm/convnextv2_nano.fcmae_ft_in22k_in1k_384/resolve/main/model.safetensors"
    )
    assert line.filename == "convnextv2_nano.fcmae_ft_in22k_in1k_384.safetensors"
    assert (line.mean, line.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (line.crop_size, line.sha256) == ((384, 384), None)
    assert line.licence.startswith("cc-by-nc-4.0")


def test_names_the_table_does_not_list_are_found_too():
    assert "resnet50.a1_in1k" in table()
    assert "resnet26d.bt_in1k" not in table()
    assert line_of("resnet26d.bt_in1k").trunk == "resnet26d"
    assert default_image_line("mobilenetv2_100").name == "mobilenetv2_100.ra_in1k"
    assert default_image_line("mobilenetv2_035") is None  # timm never trained it


@pytest.mark.parametrize("name", ["resnet50.nonsense", "nonsense.a1_in1k", "resnet50"])
def test_unknown_weights_list_the_known(name):
    with pytest.raises(WeldError, match=rf"weights '{name}' are not in the table; choose one of .*resnet50.a1_in1k"):
        line_of(name)


def test_unknown_trunk_names_those_like_it(tmp_path):
    with pytest.raises(WeldError, match=r"trunk 'resnet51' is not known to timm; choose one of .*resnet"):
        load("resnet51", tmp_path)


@pytest.mark.parametrize("name", ["mobilenetv2_035", "test_convnext", "test_vit", "mobilenetv3_small_050", "resnet10t"])
def test_embedding_has_the_width_the_trunk_says(name, tmp_path):
    with torch.device("meta"):  # shapes without arithmetic
        trunk = ImageTrunk(name=name, crop_px=64, **PLAIN)
    assert trunk(torch.empty(2, 3, 64, 64, device="meta")).shape == (2, trunk.embedding_size)


def test_random_weights_depend_on_the_seed_alone(tmp_path):
    trunk, record = load("test_efficientnet", tmp_path)
    assert (record.name, record.is_random, record.seed) == ("test_efficientnet.random", True, 0)
    assert record.sha256 == fingerprint(trunk)
    torch.manual_seed(99)
    assert load("test_efficientnet", tmp_path)[1] == record
    assert load("test_efficientnet", tmp_path, seed=1)[1].sha256 != record.sha256


def state(name, **options):
    torch.manual_seed(7)
    return timm.create_model(name, **options).state_dict()


@pytest.mark.parametrize("n_classes", [1000, 5, 0])
def test_file_of_ones_own_fits_whatever_its_classifier(n_classes, tmp_path):
    path = tmp_path / "own.safetensors"
    tensors = state("mobilenetv2_035", num_classes=n_classes)
    save_file(tensors, path)
    trunk, record = load("mobilenetv2_035", tmp_path, weights=str(path))
    assert (record.name, record.licence, record.is_random) == (str(path), "unknown", False)
    assert record.sha256 == sha256_file(path)
    assert torch.equal(trunk.body.conv_stem.weight, tensors["conv_stem.weight"])
    assert torch.equal(trunk.body.bn2.running_var, tensors["bn2.running_var"])


def test_file_without_a_tensor_of_the_trunk_is_refused(tmp_path):
    tensors = state("test_efficientnet")
    del tensors["bn1.weight"]
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(WeldError, match=r"do not fit trunk test_efficientnet \(Missing key.*bn1.weight"):
        load("test_efficientnet", tmp_path, weights=str(tmp_path / "w.safetensors"))
    save_file(state("test_resnet"), tmp_path / "other.safetensors")
    with pytest.raises(WeldError, match="do not fit trunk test_efficientnet"):
        load("test_efficientnet", tmp_path, weights=str(tmp_path / "other.safetensors"))


def test_weights_of_the_table_are_taken_from_the_folder(tmp_path):
    save_file(state("test_efficientnet"), tmp_path / "test_efficientnet.r160_in1k.safetensors")
    for name in ("auto", "test_efficientnet.r160_in1k"):
        trunk, record = load("test_efficientnet", tmp_path, weights=name)
        assert record.name == "test_efficientnet.r160_in1k"
        assert record.source.startswith("https://huggingface.co/timm/test_efficientnet.r160_in1k/")
        assert trunk.architecture["mean"] == [0.485, 0.456, 0.406]  # timm's card of it
    with pytest.raises(
        WeldError, match=r"test_efficientnet.r160_in1k are for trunk test_efficientnet, not test_resnet"
    ):
        load("test_resnet", tmp_path, weights="test_efficientnet.r160_in1k")


def test_auto_goes_on_with_random_weights_and_says_so_loudly(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(weights_lines, "_HUB", "http://127.0.0.1:1/")
    image_line.cache_clear()
    try:
        _, record = load("test_resnet", tmp_path / "pretrained", weights="auto")
    finally:
        image_line.cache_clear()
    assert record.is_random
    assert f"put test_resnet.r160_in1k.safetensors into {tmp_path / 'pretrained'}" in caplog.text
    caplog.clear()
    assert load("mobilenetv2_035", tmp_path, weights="auto")[1].is_random
    assert "mobilenetv2_035 goes on with RANDOM weights" in caplog.text


@pytest.fixture
def hub_server(tmp_path):
    """A hub that announces a digest in its redirect, as Hugging Face does."""
    save_file({"a": torch.arange(3.0)}, tmp_path / "served")
    content, announced = (tmp_path / "served").read_bytes(), [sha256_file(tmp_path / "served")]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/bytes":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(content)
                return
            self.send_response(302)
            self.send_header("Location", "/bytes")
            if announced:
                self.send_header("X-Linked-ETag", f'"{announced[0]}"')
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        line = replace(image_line("resnet50.a1_in1k"), url=f"http://127.0.0.1:{server.server_port}/model.safetensors")
        yield line, announced
        server.shutdown()


def test_download_is_checked_against_what_the_hub_announces(hub_server, tmp_path, caplog):
    line, announced = hub_server
    folder = tmp_path / "pretrained"
    assert fetch(line, folder) == folder / "resnet50.a1_in1k.safetensors"
    assert find_local(line, folder) == folder / "resnet50.a1_in1k.safetensors"
    assert "could not be checked" not in caplog.text
    (folder / "resnet50.a1_in1k.safetensors").unlink()
    announced[0] = "0" * 64
    with pytest.raises(WeldError, match="sha256 begins"):
        fetch(line, folder)
    assert list(folder.iterdir()) == []


def test_hub_that_announces_nothing_is_said(hub_server, tmp_path, caplog):
    line, announced = hub_server
    announced.clear()
    fetch(line, tmp_path / "pretrained")
    assert "says no sha256, so the file could not be checked" in caplog.text


def test_trunk_survives_saving(tmp_path):
    trunk, record = load("test_efficientnet", tmp_path)
    model = save_image_trunk(trunk, record)
    restored = ImageTrunk(**model.architecture)
    load_tensors(restored, model.tensors)
    assert fingerprint(restored) == record.sha256
    assert model.provenance["weights"]["is_random"]


def test_stem_comes_before_the_stages():
    with torch.device("meta"):
        body = ImageTrunk(name="resnet10t", crop_px=32, **PLAIN).body
    groups = stages(body)
    assert len(groups) == 5
    assert groups[0][0].startswith("conv1")
    assert groups[4][0].startswith("layer4")


def test_frozen_stages_are_the_stem_and_the_first_ones(tmp_path):
    with torch.device("meta"):
        trunk = ImageTrunk(name="resnet10t", crop_px=32, **PLAIN)
    freeze_stages(trunk, 2)
    frozen = {name.split(".")[0] for name, value in trunk.body.named_parameters() if not value.requires_grad}
    assert frozen == {"conv1", "bn1", "layer1", "layer2"}
    with pytest.raises(WeldError, match="frozen_stages is 5, but resnet10t has 4 after its stem"):
        freeze_stages(trunk, 5)


def test_folded_batch_norms_are_said(tmp_path, caplog):
    tensors = state("test_efficientnet")
    save_file(tensors, tmp_path / "folded.safetensors")
    load("test_efficientnet", tmp_path, weights=str(tmp_path / "folded.safetensors"))
    assert "batch norms hold no statistics, they were folded" in caplog.text
    caplog.clear()
    tensors["bn1.running_mean"] += 0.1
    save_file(tensors, tmp_path / "whole.safetensors")
    load("test_efficientnet", tmp_path, weights=str(tmp_path / "whole.safetensors"))
    assert "folded" not in caplog.text


def test_real_file_with_its_classifier_fits(real_data, tmp_path):
    path = real_data / "weights" / "timm-mobilenetv2_100.safetensors"
    trunk, record = load("mobilenetv2_100", tmp_path, weights=str(path))
    assert not record.is_random
    assert np.isfinite(trunk.eval()(torch.zeros(1, 3, 32, 32)).detach().numpy()).all()
