"""A bundle at work: numpy, onnxruntime, PyAV, Pillow, pydantic and jaxtyping; no torch, no Kedro."""

from importlib import import_module
from typing import Any

# Imported when first asked for: whoever inspects video needs no part of them.
_HOME = {"WeldClassifier": "image.inspector", "WeldDetector": "anomaly.inspector"}

__all__ = ["WeldClassifier", "WeldDetector"]


def __getattr__(name: str) -> Any:
    """Return one of the classes that judge pictures."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
