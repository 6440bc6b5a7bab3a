"""The ONNX graph of a bundle, opened and its answers checked."""

from collections.abc import Mapping

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import GRAPH, Bundle


def open_session(
    bundle: Bundle, *, inputs: tuple[str, ...], outputs: tuple[str, ...], n_threads: int
) -> InferenceSession:
    """Return the graph of a bundle, ready to run.

    Args:
        bundle: A verified bundle.
        inputs: What the graph must take, in this order.
        outputs: What it must give, and perhaps more.
        n_threads: Threads of the network; 0 leaves it to onnxruntime, which takes one a core.

    Raises:
        WeldError: If it cannot be loaded or has another contract.
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
    return session


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
