"""Compiled module: a torch module compiled by OpenVINO for this processor."""

import warnings
from typing import Any, Literal

import numpy as np
import openvino
import torch
from torch import Tensor, nn

_PRECISION_HINT = {"bf16": "bf16", "fp32": "f32"}


class CompiledModule:
    """A module frozen into a graph: batch norms folded, weights laid out once, in fp32 or bf16.

    On the processors tried, R3D-18 runs a tenth faster than in torch with bf16 and a fifth faster with fp32; see
    `benchmarks/video_features.py`.
    """

    def __init__(self, module: nn.Module, example: Tensor, *, precision: Literal["bf16", "fp32"]) -> None:
        """Trace and compile a module.

        Args:
            module: Module in evaluation mode on the CPU; it takes one tensor and returns a tuple of tensors.
            example: Example input; later inputs may differ in their first axis only.
            precision: Precision of the arithmetic; inputs and outputs keep the module's types.
        """
        with torch.no_grad(), warnings.catch_warnings():
            # A trace freezes every decision that depends on a shape; only the first axis may vary here.
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
            # Checking the trace would run the module twice more.
            traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        graph = openvino.convert_model(traced, input=[-1, *example.shape[1:]])  # type: ignore[attr-defined]
        hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _PRECISION_HINT[precision], "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(graph, "CPU", hints)  # type: ignore[attr-defined]

    def __call__(self, batch: Tensor) -> tuple[np.ndarray, ...]:
        """Return the module's outputs, as arrays of their own."""
        return tuple(np.array(value) for value in self._compiled(batch.numpy()).values())
