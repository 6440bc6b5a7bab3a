"""The table, the order of look-up, and what happens without a network."""

import pickle
import socket
import time
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from weld_pipeline.cli import app
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.nn.video.trunk import load_trunk
from weld_pipeline.nn.weights import choose as weights
from weld_pipeline.nn.weights import hub
from weld_pipeline.nn.weights.choose import (
    UnreachableError,
    default_for,
    fetch,
    find_local,
    inventory,
    line_of,
    read_tensors,
    table,
)

TENSORS = {"a": torch.arange(3.0)}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Torch's cache, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def line(tmp_path):
    """A line of the table whose hub is a folder."""
    hub = tmp_path / "hub" / "net-x.pth"
    hub.parent.mkdir()
    torch.save(TENSORS, hub)
    return replace(default_for("r3d_18"), url=hub.as_uri(), sha256=sha256_file(hub)[:8])


def test_table_has_the_libraries_own_numbers():
    """Torchvision's documentation of R3D_18_Weights.KINETICS400_V1."""
    line = table()["r3d_18.kinetics400_v1"]
    assert line.filename == "r3d_18-b3b3357e.pth"
    assert line.sha256 == "b3b3357e"
    assert (line.resize_size, line.crop_size) == ((128, 171), (112, 112))
    assert line.mean == (0.43216, 0.394666, 0.37645)
    assert line.std == (0.22803, 0.22145, 0.216989)
    assert "Kinetics" in line.licence


def test_folder_comes_before_cache_and_cache_before_hub(line, cache, tmp_path):
    folder = tmp_path / "pretrained"
    folder.mkdir()
    content = (tmp_path / "hub" / "net-x.pth").read_bytes()
    assert find_local(line, folder) is None
    assert weights.locate(line, folder) == folder / "net-x.pth"
    (cache / "net-x.pth").write_bytes(content)
    assert find_local(line, folder) == folder / "net-x.pth"
    (folder / "net-x.pth").unlink()
    assert find_local(line, folder) == cache / "net-x.pth"


def test_converted_safetensors_of_the_same_stem_are_found(line, cache, tmp_path):
    save_file(TENSORS, tmp_path / "net-x.safetensors")
    assert find_local(line, tmp_path) == tmp_path / "net-x.safetensors"
    assert torch.equal(read_tensors(tmp_path / "net-x.safetensors")["a"], TENSORS["a"])


def test_file_with_other_bytes_is_refused_not_replaced(line, cache, tmp_path):
    (tmp_path / "net-x.pth").write_bytes(b"something else")
    with pytest.raises(WeldError, match=r"net-x.pth: sha256 begins .* the table says .*; delete the file"):
        find_local(line, tmp_path)


def test_download_with_other_bytes_leaves_nothing(line, tmp_path):
    folder = tmp_path / "pretrained"
    with pytest.raises(WeldError, match="sha256 begins"):
        fetch(replace(line, sha256="00000000"), folder)
    assert list(folder.iterdir()) == []


def test_unreachable_hub_says_which_file_to_bring_and_where(line, tmp_path):
    missing = replace(line, url="http://127.0.0.1:1/net-x.pth")
    with pytest.raises(UnreachableError, match=r"127.0.0.1:1/net-x.pth cannot be reached .*; put net-x.pth into"):
        fetch(missing, tmp_path)


def test_hub_that_never_answers_costs_seconds_only(line, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = replace(line, url=f"http://127.0.0.1:{silent.getsockname()[1]}/net-x.pth")
        start = time.monotonic()
        with pytest.raises(UnreachableError):
            fetch(hanging, tmp_path)
    assert time.monotonic() - start < 3


def test_auto_goes_on_with_random_weights_and_says_so_loudly(cache, tmp_path, monkeypatch, caplog):
    hub = replace(default_for("r3d_18"), url="http://127.0.0.1:1/r3d_18-b3b3357e.pth")
    monkeypatch.setattr(weights, "default_for", lambda _: hub)
    _, record = load_trunk("r3d_18", weights="auto", seed=0, folder=tmp_path / "pretrained")
    assert record.is_random
    assert "RANDOM" in caplog.text
    assert f"put r3d_18-b3b3357e.pth into {tmp_path / 'pretrained'}" in caplog.text


def test_named_weights_that_are_missing_are_an_error(cache, tmp_path, monkeypatch):
    hub = replace(default_for("r3d_18"), url="http://127.0.0.1:1/r3d_18-b3b3357e.pth")
    monkeypatch.setattr(weights, "table", lambda: {hub.name: hub})
    with pytest.raises(WeldError, match="cannot be reached"):
        load_trunk("r3d_18", weights=hub.name, seed=0, folder=tmp_path)
    with pytest.raises(WeldError, match=r"nowhere.pth: no such file; give the name of a line"):
        load_trunk("r3d_18", weights=str(tmp_path / "nowhere.pth"), seed=0, folder=tmp_path)


class Evil:
    def __reduce__(self):
        return (print, ("code was run",))


def test_file_that_would_run_code_is_refused_and_not_run(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeldError, match="cannot be read as tensors only"):
        read_tensors(path)
    torch.save({"a": Evil()}, path)
    with pytest.raises(WeldError, match="cannot be read as tensors only"):
        read_tensors(path)
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\x80\x02garbage", b"PK\x03\x04 half a file"])
def test_broken_file_is_named(tmp_path, content):
    path = tmp_path / "broken.pth"
    path.write_bytes(content)
    with pytest.raises(WeldError, match=r"broken.pth: cannot be read as tensors only"):
        read_tensors(path)


def test_checkpoint_with_more_than_tensors_is_refused(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "c.pth")
    with pytest.raises(WeldError, match="is not a table of tensors"):
        read_tensors(tmp_path / "c.pth")


def test_inventory_says_what_is_here(cache, tmp_path):
    save_file(TENSORS, tmp_path / "r3d_18-b3b3357e.safetensors")
    found = {entry["name"]: entry["found"] for entry in inventory(tmp_path)}
    assert found["r3d_18.kinetics400_v1"] == str(tmp_path / "r3d_18-b3b3357e.safetensors")
    assert found["s3d.kinetics400_v1"] is None


def test_converted_file_is_not_said_to_be_compared_with_its_hub(cache, tmp_path):
    (tmp_path / "r3d_18-b3b3357e.safetensors").write_text("junk")
    (line,) = [each for each in inventory(tmp_path) if each["found"] and not each["is_packaged"]]
    assert (line["is_converted"], line["is_checked"]) == (True, False)
    assert line["filename"] == "r3d_18-b3b3357e.pth"
    done = CliRunner().invoke(app, ["weights", "verify", f"--folder={tmp_path}"])
    assert "not compared, converted from r3d_18-b3b3357e.pth" in done.stdout
    assert "3 of 4 file(s) compared" in done.stdout  # the three of packages


def test_unknown_name_lists_the_known():
    with pytest.raises(WeldError, match=r"weights 'x' are not in the table; choose one of .*r3d_18.kinetics400_v1"):
        line_of("x")
