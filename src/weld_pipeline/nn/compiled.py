"""A torch module compiled by OpenVINO for this processor."""

import warnings
from typing import Any, Literal

import numpy as np
import openvino
import torch
from torch import Tensor, nn

_PRECISION_HINT = {"bf16": "bf16", "fp32": "f32"}


class CompiledModule:
    """A module frozen into a graph: batch norms folded, weights laid out once, bf16 kernels where asked for.

    On the processors it was tried on it runs R3D-18 a tenth faster than torch in bf16 and a fifth faster in fp32; see
    `benchmarks/video_features.py`.
    """

    def __init__(self, module: nn.Module, example: Tensor, *, precision: Literal["bf16", "fp32"]) -> None:
        """Trace and compile.

        Args:
            module: In evaluation mode, on the CPU; takes one tensor, returns a tuple of tensors.
            example: An input; later ones differ in nothing but their first axis.
            precision: Of the arithmetic; what goes in and comes out is as in the module.
        """
        with torch.no_grad(), warnings.catch_warnings():
            # A trace freezes what is decided by a shape; all but the first axis are fixed here.
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
            # Checking the trace would run the module twice more.
            traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        graph = openvino.convert_model(traced, input=[-1, *example.shape[1:]])  # type: ignore[attr-defined]
        hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _PRECISION_HINT[precision], "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(graph, "CPU", hints)  # type: ignore[attr-defined]

    def __call__(self, batch: Tensor) -> tuple[np.ndarray, ...]:
        """Return the module's outputs, as arrays of their own."""
        return tuple(np.array(value) for value in self._compiled(batch.numpy()).values())
