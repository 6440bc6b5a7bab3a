"""Damage: whatever is done to the bytes of a model, a matrix, an item or a checkpoint, it is named and never believed."""

import json
import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel, read_model, write_model
from weld_pipeline.core.seals import read_record, write_record
from weld_pipeline.core.stores import JsonStore, TensorStore
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.video.clip_matrix import PendingMatrix, RunClips, read_matrix, write_matrix

N_TRIALS = 150


def damaged(content, chance):
    """Return other bytes: one changed, a stretch overwritten, the end cut off, nothing left, or something in front."""
    place = chance.randrange(len(content))
    kind = chance.choice(("byte", "byte", "byte", "zeros", "cut", "empty", "front", "behind"))
    other = bytearray(content)
    if kind == "byte":
        other[place] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        other[place : place + 16] = bytes(b ^ 0xA5 for b in other[place : place + 16])
    elif kind == "cut":
        del other[place:]
    elif kind == "empty":
        other.clear()
    elif kind == "front":
        other[:0] = b"\x80"
    else:
        other += b"~"
    return bytes(other)


def model(folder):
    path = folder / "m.safetensors"
    tensors = {"bank": np.arange(24, dtype=np.float32).reshape(4, 6), "n": np.array(3)}
    write_model(path, SavedModel("patchcore", {"dims": [6, [1, {"a": 2}]]}, tensors, {"epochs": 2}, {"weights": "ö"}))
    return SimpleNamespace(files=[path], read=lambda: read_model(path))


def matrix(folder):
    run = RunClips("a", np.array([[5, 6]], np.float32), np.array([16]))
    write_matrix(folder, PendingMatrix(lambda: iter([run]), n_features=2))
    files = [folder / name for name in ("values.npy", "start.npy", "index.json")]
    return SimpleNamespace(files=files, read=lambda: read_matrix(folder))


def tensor_items(folder):
    TensorStore(folder).write("a", "k", {"image": np.arange(12, dtype=np.uint8)})
    TensorStore(folder).commit({"a": "k"})
    files = [folder / "a.safetensors", folder / "index.json"]
    return SimpleNamespace(files=files, read=lambda: (TensorStore(folder)["a"], TensorStore(folder).part("a", "image")))


def json_items(folder):
    JsonStore(folder).write("a", "k", {"n_frames": 7})
    JsonStore(folder).commit({"a": "k"})
    return SimpleNamespace(files=[folder / "a.json", folder / "index.json"], read=lambda: JsonStore(folder)["a"])


def training(folder):
    kept = TrainingFolder(folder, keeps_last=True)
    kept.begin("k")
    kept.write_last(memoryview(bytes(range(200))))
    kept.write_best({"w": np.arange(3.0)}, epoch=2, key="k")
    kept.finish({"history": [{"epoch": 1.0}], "best_epoch": 2})
    files = [kept.last, kept.best, folder / "finished.json"]
    return SimpleNamespace(files=files, read=lambda: (kept.read_last(), kept.read_best(2, key="k"), kept.outcome()))


@pytest.mark.parametrize("make", [model, matrix, tensor_items, json_items, training])
def test_damage_is_named_with_the_file_and_never_believed(tmp_path, make):
    made, chance, outcomes = make(tmp_path), random.Random(0), Counter()
    made.read()
    for _ in range(N_TRIALS):
        path = chance.choice(made.files)
        whole = path.read_bytes()
        path.write_bytes(damaged(whole, chance))
        with pytest.raises(WeldError) as caught:  # KeyError, RecursionError, UnpicklingError … fail the test
            made.read()
        assert path.name in str(caught.value)
        assert "again" in str(caught.value)
        assert "\n" not in str(caught.value)
        outcomes[path.name] += 1
        path.write_bytes(whole)
    assert len(outcomes) == len(made.files)
    made.read()


def test_deeply_nested_json_is_damage_and_no_traceback(tmp_path):
    (tmp_path / "r.json").write_text("[" * 100_000)
    with pytest.raises(WeldError, match=r"r\.json: .*RecursionError.*; do so"):
        read_record(tmp_path / "r.json", remedy="do so")


def test_record_with_numbers_for_names_comes_back(tmp_path):
    """JSON makes text of them, which is ordered otherwise: 10 before 2."""
    write_record(tmp_path / "r.json", {"classes": {2: "b", 10: "k"}, "pair": (1, 2.5)})
    record = read_record(tmp_path / "r.json", remedy="")
    assert (record["classes"], record["pair"]) == ({"2": "b", "10": "k"}, [1, 2.5])


def test_item_that_an_earlier_version_stored_without_a_seal_is_done_again(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"key": "k", "value": 1}))
    assert JsonStore(tmp_path).key_of("a") is None


def test_item_that_changed_after_it_was_checked_is_checked_again(tmp_path):
    store = TensorStore(tmp_path)
    store.write("a", "k", {"x": np.zeros(64)})
    store.commit({"a": "k"})
    assert store["a"]["x"].tolist() == [0.0] * 64
    path = store.path("a")
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(WeldError, match=r"was damaged or changed after it was written.*; delete it"):
        store["a"]


def test_checkpoint_is_torchs_own_under_its_seal(tmp_path):
    folder = TrainingFolder(tmp_path)
    torch.save({"w": torch.arange(3)}, tmp_path / "plain")
    folder.write_last(memoryview((tmp_path / "plain").read_bytes()))
    assert folder.read_last() == (tmp_path / "plain").read_bytes()
