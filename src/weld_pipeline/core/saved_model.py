"""Saved model: one safetensors file with tensors, architecture, history of training and provenance."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_bytes
from weld_pipeline.core.sealed_tensors import DamageError, seal_tensors, unsealed_header

FORMAT = "weld-model/2"
_HEADERS = ("architecture", "training", "provenance")
_REMEDY = "train it again, or copy it again from where it was trained"


@dataclass(frozen=True)
class SavedModel:
    """Everything needed to build a trained model again and to say where it came from.

    Attributes:
        family: Name of its builder: `video_trunk`, `autoencoder`, `latent_classifier`, …
        architecture: Arguments of the builder.
        tensors: Parameters and buffers by name.
        training: Epochs run, best epoch, metrics.
        provenance: Data, weights and parameters it came from.
    """

    family: str
    architecture: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]
    training: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write_model(path: Path, model: SavedModel) -> None:
    """Write `model` atomically, sealed; equal models give equal bytes."""
    metadata = {"format": FORMAT, "family": model.family}
    metadata |= {name: json.dumps(getattr(model, name), sort_keys=True, allow_nan=False) for name in _HEADERS}
    tensors = {name: np.asarray(model.tensors[name], order="C") for name in sorted(model.tensors)}
    write_bytes(path, seal_tensors(tensors, metadata))


def read_model(path: Path, *, remedy: str = _REMEDY) -> SavedModel:
    """Return the model in a file, of which no byte is used before its seal was checked.

    Args:
        remedy: Next step, for the error.

    Raises:
        WeldError: If there is no such file, if this version of this project did not write it, or if it was changed since.
    """
    content, header = _checked(path, remedy)
    fields = _fields(header["__metadata__"])
    return SavedModel(fields["family"], fields["architecture"], load(content), fields["training"], fields["provenance"])


def describe(path: Path) -> dict[str, Any]:
    """Return family, architecture, shape and type of each tensor, training and provenance.

    Raises:
        WeldError: As reading the model does.
    """
    _, header = _checked(path, _REMEDY)
    description = {"format": FORMAT} | _fields(header.pop("__metadata__"))
    description["tensors"] = {name: {"shape": part["shape"], "dtype": part["dtype"]} for name, part in header.items()}
    description["n_parameters"] = sum(int(np.prod(tensor["shape"])) for tensor in header.values())
    return description


def _checked(path: Path, remedy: str) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a model file and its header."""
    if not path.is_file():
        raise WeldError(f"model {path}: no such file; {remedy}")
    content = path.read_bytes()
    try:
        header = unsealed_header(content)
    except DamageError as error:
        raise WeldError(
            f"model {path}: {error} (nothing of it was used, and no pickle is ever opened); {remedy}"
        ) from error
    if header["__metadata__"].get("format") != FORMAT:
        raise WeldError(f"model {path}: is no model but another file of this project; {remedy}")
    return content, header


def _fields(metadata: Mapping[str, str]) -> dict[str, Any]:
    return {"family": metadata["family"]} | {name: json.loads(metadata[name]) for name in _HEADERS}


def with_provenance(model: SavedModel, **fields: Any) -> SavedModel:
    """Return the model with more fields in its provenance."""
    return replace(model, provenance={**model.provenance, **fields})
