"""Saved model: one safetensors file with tensors, architecture, history of training and provenance."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_bytes

FORMAT = "weld-model/1"
_HEADERS = ("architecture", "training", "provenance")


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
    """Write `model` atomically; equal models give equal bytes."""
    metadata = {"format": FORMAT, "family": model.family}
    metadata |= {name: json.dumps(getattr(model, name), sort_keys=True, allow_nan=False) for name in _HEADERS}
    tensors = {name: np.asarray(model.tensors[name], order="C") for name in sorted(model.tensors)}
    write_bytes(path, _save(tensors, metadata))


def read_model(path: Path) -> SavedModel:
    """Return the model in a file.

    Raises:
        WeldError: If there is no such file, or this project did not write it.
    """
    header = _header(path)
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open is no mapping
    return SavedModel(header["family"], header["architecture"], tensors, header["training"], header["provenance"])


def describe(path: Path) -> dict[str, Any]:
    """Return family, architecture, shape and type of each tensor, training and provenance, from the header alone.

    Raises:
        WeldError: If there is no such file, or this project did not write it.
    """
    header = _header(path)
    with safe_open(path, framework="np") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        header["tensors"] = {
            name: {"shape": list(part.get_shape()), "dtype": part.get_dtype()} for name, part in slices.items()
        }
    header["n_parameters"] = sum(int(np.prod(tensor["shape"])) for tensor in header["tensors"].values())
    return header


def _header(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeldError(f"model {path}: no such file; train it first, or check the path")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise WeldError(
            f"model {path}: not a safetensors file ({error}); pickled checkpoints are never opened, convert it where it was trained"
        ) from error
    if metadata.get("format") != FORMAT:
        raise WeldError(
            f"model {path}: format is {metadata.get('format')!r}, not {FORMAT!r}; this project did not write it"
        )
    return {"format": FORMAT, "family": metadata["family"]} | {name: json.loads(metadata[name]) for name in _HEADERS}


def _save(tensors: Mapping[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    # safetensors writes the metadata in hash order, which differs from process to process; JSON is rewritten in place
    # with its keys sorted (same length), so that equal models have equal bytes.
    content = bytearray(save(dict(tensors), metadata))
    n_header = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n_header])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > n_header:
        raise WeldError(f"safetensors header grew from {n_header} to {len(text)} bytes; report this with the model")
    content[8 : 8 + n_header] = text.ljust(n_header)
    return bytes(content)


def with_provenance(model: SavedModel, **fields: Any) -> SavedModel:
    """Return the model with more fields in its provenance."""
    return replace(model, provenance={**model.provenance, **fields})
