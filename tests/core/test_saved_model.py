"""One safetensors file a model."""

import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.saved_model import SavedModel, describe, read_model, write_model

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


class Evil:
    def __reduce__(self):
        return (print, ("code was run",))


@pytest.mark.parametrize("reader", [read_model, describe])
def test_pickle_is_refused_and_not_run(tmp_path, capsys, reader):
    path = tmp_path / "m.safetensors"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeldError, match=r"not a safetensors file .* never opened"):
        reader(path)
    assert "code was run" not in capsys.readouterr().out


def test_safetensors_of_others_are_told_apart(tmp_path):
    save_file({"w": np.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(WeldError, match=r"format is None, not 'weld-model/1'"):
        read_model(tmp_path / "other.safetensors")


def test_truncated_model_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, MODEL)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(WeldError, match="not a safetensors file"):
        read_model(path)


def test_number_that_is_none_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_model(tmp_path / "m.safetensors", SavedModel("x", {}, {}, training={"loss": float("nan")}))
    assert not (tmp_path / "m.safetensors").exists()
