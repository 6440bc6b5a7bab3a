"""One safetensors file a model."""

import pickle

import numpy as np
import pytest
from kedro.io import DatasetError
from safetensors.numpy import save_file

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.saved_model import SavedModel, describe, read_model, write_model
from weld_pipeline.core.sealed_tensors import seal_tensors
from weld_pipeline.datasets.saved_model import SavedModelDataset

MODEL = SavedModel(
    family="autoencoder",
    architecture={"latent": 2, "n_features": 3},
    tensors={"w": np.arange(6, dtype=np.float32).reshape(2, 3), "a.n": np.array(4, dtype=np.int64)},
    training={"epochs": 7, "metrics": {"valid_loss": 0.25}},
    provenance={"weights": {"name": "größe"}},
)


def test_model_comes_back_as_it_was(tmp_path):
    write_model(tmp_path / "m.safetensors", MODEL)
    again = read_model(tmp_path / "m.safetensors")
    assert (again.family, again.architecture) == (MODEL.family, MODEL.architecture)
    assert (again.training, again.provenance) == (MODEL.training, MODEL.provenance)
    assert {name: (value.dtype, value.tolist()) for name, value in again.tensors.items()} == {
        "w": (np.dtype("float32"), [[0, 1, 2], [3, 4, 5]]),
        "a.n": (np.dtype("int64"), 4),
    }


def test_equal_models_have_equal_bytes(tmp_path):
    """The library orders metadata by hash, differently each time; ten files would hardly agree by luck."""
    digests = set()
    for index in range(10):
        write_model(tmp_path / f"{index}.safetensors", MODEL)
        digests.add(sha256_file(tmp_path / f"{index}.safetensors"))
    assert len(digests) == 1


def test_description_tells_shapes_training_and_provenance(tmp_path):
    write_model(tmp_path / "m.safetensors", MODEL)
    header = describe(tmp_path / "m.safetensors")
    assert header["family"] == "autoencoder"
    assert header["tensors"] == {"a.n": {"shape": [], "dtype": "I64"}, "w": {"shape": [2, 3], "dtype": "F32"}}
    assert header["n_parameters"] == 7
    assert header["training"]["epochs"] == 7
    assert header["provenance"] == MODEL.provenance


def test_missing_model_is_named(tmp_path):
    with pytest.raises(WeldError, match=r"model .*none.safetensors: no such file"):
        read_model(tmp_path / "none.safetensors")


def damage(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


class Evil:
    def __reduce__(self):
        return (print, ("code was run",))


@pytest.mark.parametrize("reader", [read_model, describe])
def test_pickle_is_refused_and_not_run(tmp_path, capsys, reader):
    path = tmp_path / "m.safetensors"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeldError, match=r"bears no seal.*no pickle is ever opened.*; train it again"):
        reader(path)
    assert "code was run" not in capsys.readouterr().out


def test_safetensors_of_others_are_told_apart(tmp_path):
    save_file({"w": np.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(WeldError, match="it bears no seal: another program or an earlier version wrote it"):
        read_model(tmp_path / "other.safetensors")


def test_sealed_file_that_is_no_model_is_told_apart(tmp_path):
    (tmp_path / "item.safetensors").write_bytes(seal_tensors({"w": np.zeros(2)}, {"key": "k"}))
    with pytest.raises(WeldError, match="is no model but another file of this project"):
        read_model(tmp_path / "item.safetensors")


def test_error_ends_with_the_step_that_makes_the_model_again(tmp_path):
    dataset = SavedModelDataset(filepath=str(tmp_path / "06_models" / "tig_ss304" / "classifier.safetensors"))
    dataset.save(MODEL)
    damage(dataset.path, -1)
    with pytest.raises(
        DatasetError, match=r"classifier\.safetensors: .*make it again with `kedro run --pipeline=tig_ss304`"
    ):
        dataset.load()


def test_number_that_is_none_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_model(tmp_path / "m.safetensors", SavedModel("x", {}, {}, training={"loss": float("nan")}))
    assert not (tmp_path / "m.safetensors").exists()
