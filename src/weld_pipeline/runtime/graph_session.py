"""Graph sessions: the ONNX graph of a bundle, opened and its answers checked."""

from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.engines.open import open_graph
from weld_pipeline.engines.session import Engine, Session
from weld_pipeline.runtime.bundle import GRAPH, Bundle


class GraphSession:
    """The graph of a bundle, loaded; it gives finite numbers or none.

    Args:
        bundle: A verified bundle.
        inputs: What the graph must take, in this order.
        outputs: What it must give, and perhaps more.
        n_threads: Threads of the network; 0 leaves it to the engine, which takes one a core.
        engine: What runs the graph; see `engines.open.open_graph`.

    Raises:
        WeldError: If it cannot be loaded, has another contract, or the engine is not installed.
    """

    def __init__(
        self, bundle: Bundle, *, inputs: tuple[str, ...], outputs: tuple[str, ...], n_threads: int, engine: Engine
    ) -> None:
        self._bundle = bundle
        self._outputs = outputs
        self._session = _opened(bundle, inputs=inputs, outputs=outputs, n_threads=n_threads, engine=engine)

    def run(self, *values: np.ndarray, what: str) -> dict[str, Any]:
        """Return output name to value.

        A NaN compares as neither above nor below a threshold, so it would slip through as a pass.

        Args:
            values: One an input, in order.
            what: What the answer is to, for the message.

        Raises:
            WeldError: Naming the first output that is not finite.
        """
        found = self._session.run(list(self._outputs), dict(zip(self._session.inputs, values, strict=True)))
        answers: dict[str, Any] = dict(zip(self._outputs, found, strict=True))
        for name, value in answers.items():
            if not np.isfinite(value).all():
                raise WeldError(
                    f"bundle {self._bundle.folder}: output {name!r} is not finite for {what}; "
                    "the model is broken, train and export it again"
                )
        return answers


def _opened(
    bundle: Bundle, *, inputs: tuple[str, ...], outputs: tuple[str, ...], n_threads: int, engine: Engine
) -> Session:
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
