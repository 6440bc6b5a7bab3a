"""The ONNX graph of a bundle, opened and its answers checked."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import GRAPH, Bundle

Engine = Literal["onnxruntime", "openvino"]


@runtime_checkable
class Session(Protocol):
    """A graph that is ready to run."""

    def run(self, names: Sequence[str], feed: Mapping[str, np.ndarray]) -> Sequence[Any]:
        """Return the named outputs for named inputs."""


def open_session(
    bundle: Bundle,
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    n_threads: int,
    engine: Engine = "onnxruntime",
) -> Session:
    """Return the graph of a bundle, ready to run.

    Args:
        bundle: A verified bundle.
        inputs: What the graph must take, in this order.
        outputs: What it must give, and perhaps more.
        n_threads: Threads of the network; 0 leaves it to the engine, which takes one a core.
        engine: `openvino` needs that package and takes a second to start; detectors took 4 to 20 % less time on two
            processors, one of them on one 19 % more (`docs/results.md`). Its arithmetic is float32, too.

    Raises:
        WeldError: If it cannot be loaded, has another contract, or the engine is not installed.
    """
    options = SessionOptions()
    options.intra_op_num_threads = n_threads
    try:
        session = InferenceSession(bundle.folder / GRAPH, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a private family of exceptions
        raise WeldError(f"bundle {bundle.folder}: {GRAPH} cannot be loaded ({error}); export it again") from error
    takes = tuple(value.name for value in session.get_inputs())
    gives = {value.name: value.shape for value in session.get_outputs()}
    if takes != inputs or not gives.keys() >= set(outputs):
        raise WeldError(
            f"bundle {bundle.folder}: the graph maps {takes} to {tuple(gives)}, expected {inputs} to {outputs}; "
            "export it again"
        )
    classes = bundle.description.classes
    if "probabilities" in outputs and gives["probabilities"][-1] != len(classes):
        raise WeldError(
            f"bundle {bundle.folder}: the graph tells {gives['probabilities'][-1]} classes apart, "
            f"bundle.json names {len(classes)}; export it again"
        )
    return session if engine == "onnxruntime" else OpenVinoSession(bundle, n_threads=n_threads)


class OpenVinoSession:
    """The same graph, run by OpenVINO in float32.

    Left to itself OpenVINO computes in bfloat16 where the processor can, the whole numbers of the preprocessing as well,
    and scores move by percents.
    """

    def __init__(self, bundle: Bundle, *, n_threads: int) -> None:
        try:
            import openvino  # noqa: PLC0415 - half a second that others need not wait
        except ImportError as error:
            raise WeldError(
                "engine openvino: the package openvino is not installed; install it, or take onnxruntime"
            ) from error
        hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if n_threads:
            hints["INFERENCE_NUM_THREADS"] = n_threads
        core = openvino.Core()  # type: ignore[attr-defined]
        self._compiled = core.compile_model(core.read_model(bundle.folder / GRAPH), "CPU", hints)

    def run(self, names: Sequence[str], feed: Mapping[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Return the named outputs, as arrays of their own."""
        found = self._compiled(dict(feed))
        return [np.array(found[name]) for name in names]


def check_finite(bundle: Bundle, values: Mapping[str, np.ndarray], *, what: str) -> None:
    """Refuse answers that are not finite numbers.

    A NaN compares as neither above nor below a threshold, so it would slip through as a pass.

    Args:
        bundle: Whose graph gave them.
        values: Output name to value.
        what: What they are the answer to.

    Raises:
        WeldError: Naming the first output that is not finite.
    """
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise WeldError(
                f"bundle {bundle.folder}: output {name!r} is not finite for {what}; "
                "the model is broken, train and export it again"
            )
