"""State of a module: its parameters and buffers as plain arrays, and their digest."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel


def fingerprint(module: nn.Module) -> str:
    """Return the SHA-256 of every parameter and buffer, by name."""
    digest = hashlib.sha256()
    for name, value in sorted(tensors_of(module).items()):
        digest.update(name.encode())
        digest.update(value.data)
    return digest.hexdigest()


def tensors_of(module: nn.Module) -> dict[str, np.ndarray]:
    """Return every persistent parameter and buffer as a contiguous array."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in module.state_dict().items()}


def load_tensors(module: nn.Module, tensors: Mapping[str, np.ndarray]) -> None:
    """Load arrays from `tensors_of` back into a module.

    Raises:
        WeldError: If names or shapes differ from the module's.
    """
    try:
        module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise WeldError(
            f"model for {type(module).__name__}: {reason}; it was saved by another version, train again"
        ) from error


def saved_trunk(
    trunk: nn.Module, *, family: str, architecture: Mapping[str, Any], weights: Mapping[str, Any]
) -> SavedModel:
    """Return a frozen trunk as a model file's content."""
    provenance = {"weights": dict(weights), "fingerprint": fingerprint(trunk)}
    return SavedModel(family, architecture, tensors_of(trunk), provenance=provenance)
