"""ONNX Runtime: the engine that every machine has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

# A thread without work spins for as long as from one operator to the next. By default it goes on for milliseconds: that took
# 30 of 72 ms of processor time to load MobileNet's graph, and a quarter of a batch's from whatever else the machine does.
_SPIN_US = "100"


class OnnxRuntimeSession:
    """A graph run by ONNX Runtime on the processor, in the precision it was exported in."""

    def __init__(self, graph: Path, *, n_threads: int) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = n_threads
        options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_US)
        self._session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.outputs = {value.name: tuple(value.shape) for value in self._session.get_outputs()}

    def run(self, names: Sequence[str], feed: Mapping[str, np.ndarray]) -> Sequence[Any]:
        """Return the named outputs."""
        return self._session.run(list(names), dict(feed))
