"""A bundle at work: numpy, onnxruntime, PyAV and Pillow; no torch, no Kedro."""

from typing import Any

__all__ = ["WeldClassifier"]


def __getattr__(name: str) -> Any:
    """Return `WeldClassifier`, imported when it is first asked for: whoever inspects video needs no part of it."""
    if name != "WeldClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from weld_pipeline.runtime.pictures import WeldClassifier  # noqa: PLC0415 - as the docstring says

    return WeldClassifier
