"""Session: an ONNX graph that is ready to run, whichever engine runs it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

Engine = Literal["onnxruntime", "openvino"]


@runtime_checkable
class Session(Protocol):
    """A graph that is ready to run.

    Attributes:
        inputs: Names of the inputs, in order.
        outputs: Shape of each output by name; a dimension that may vary is not a number.
    """

    inputs: tuple[str, ...]
    outputs: dict[str, tuple[Any, ...]]

    def run(self, names: Sequence[str], feed: Mapping[str, np.ndarray]) -> Sequence[Any]:
        """Return the named outputs for named inputs."""


@runtime_checkable
class SessionFactory(Protocol):
    """Function that opens a graph with an engine."""

    def __call__(self, graph: Path, *, n_threads: int) -> Session:
        """Return the graph, ready to run; 0 threads leave their number to the engine."""
