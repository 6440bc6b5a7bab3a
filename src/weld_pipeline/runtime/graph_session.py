"""Graph sessions: the ONNX graph of a bundle, opened and its answers checked."""

from collections.abc import Mapping

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.engines.open import open_graph
from weld_pipeline.engines.session import Engine, Session
from weld_pipeline.runtime.bundle import GRAPH, Bundle


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
        engine: What runs the graph; see `engines.open.open_graph`.

    Raises:
        WeldError: If it cannot be loaded, has another contract, or the engine is not installed.
    """
    try:
        session = open_graph(bundle.folder / GRAPH, engine=engine, n_threads=n_threads)
    except WeldError:
        raise
    except Exception as error:  # engines raise private families of exceptions
        raise WeldError(
            f"bundle {bundle.folder}: {GRAPH} cannot be loaded by {engine} ({error}); export it again"
        ) from error
    if session.inputs != inputs or not session.outputs.keys() >= set(outputs):
        raise WeldError(
            f"bundle {bundle.folder}: the graph maps {session.inputs} to {tuple(session.outputs)}, "
            f"expected {inputs} to {outputs}; export it again"
        )
    classes = bundle.description.classes
    if "probabilities" in outputs and session.outputs["probabilities"][-1] != len(classes):
        raise WeldError(
            f"bundle {bundle.folder}: the graph tells {session.outputs['probabilities'][-1]} classes apart, "
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
