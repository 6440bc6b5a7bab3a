"""ONNX Runtime: the engine that every machine has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]


class OnnxRuntimeSession:
    """A graph run by ONNX Runtime on the processor, in the precision it was exported in."""

    def __init__(self, graph: Path, *, n_threads: int) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = n_threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # an idle thread takes no core
        self._session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.outputs = {value.name: tuple(value.shape) for value in self._session.get_outputs()}

    def run(self, names: Sequence[str], feed: Mapping[str, np.ndarray]) -> Sequence[Any]:
        """Return the named outputs."""
        return self._session.run(list(names), dict(feed))
