"""OpenVINO: an engine that is often faster on a processor and slower to start."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError


class OpenVinoSession:
    """A graph run by OpenVINO in float32.

    By itself OpenVINO computes in bfloat16 where the processor can, even the whole numbers of the preprocessing, and scores
    move by percents.

    Raises:
        WeldError: If the package is not installed.
    """

    def __init__(self, graph: Path, *, n_threads: int) -> None:
        try:
            import openvino  # noqa: PLC0415 - an optional package, and half a second that other engines do not wait
        except ImportError as error:
            raise WeldError(
                "engine openvino: the package openvino is not installed; install it, or take onnxruntime"
            ) from error
        hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if n_threads:
            hints["INFERENCE_NUM_THREADS"] = n_threads
        core = openvino.Core()  # type: ignore[attr-defined]
        self._compiled = core.compile_model(core.read_model(graph), "CPU", hints)
        self.inputs = tuple(port.any_name for port in self._compiled.inputs)
        self.outputs = {port.any_name: _shape(port.partial_shape) for port in self._compiled.outputs}

    def run(self, names: Sequence[str], feed: Mapping[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Return the named outputs, as arrays of their own."""
        results = self._compiled(dict(feed))
        return [np.array(results[name]) for name in names]


def _shape(partial: Any) -> tuple[Any, ...]:
    return tuple(None if size.is_dynamic else size.get_length() for size in partial)
