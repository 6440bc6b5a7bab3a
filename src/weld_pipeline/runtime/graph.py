"""The graph of a bundle, run clip by clip with a state of constant size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import GRAPH, Bundle

INPUTS = ("frames", "latent_sum", "anomaly_sum", "n_clips")
OUTPUTS = (
    "clip_probabilities",
    "clip_anomaly",
    "latent_sum_out",
    "anomaly_sum_out",
    "n_clips_out",
    "probabilities",
    "score",
    "p_defect",
    "anomaly",
)


@dataclass(frozen=True)
class RunState:
    """What the graph remembers of the clips so far; it does not grow with their number.

    Attributes:
        latent_sum: Sum of the clips' latents.
        anomaly_sum: Sum of the clips' reconstruction errors.
        n_clips: Their number.
    """

    latent_sum: Float32[np.ndarray, " L"]
    anomaly_sum: Float32[np.ndarray, " 1"]
    n_clips: Float32[np.ndarray, " 1"]


@dataclass(frozen=True)
class GraphOutput:
    """One answer of the graph.

    Attributes:
        clip_probabilities: Class probabilities of each clip in the call.
        clip_anomaly: Reconstruction error of each.
        probabilities: Class probabilities of the run so far.
        score: Log-odds of not good, of the run so far; higher is worse.
        p_defect: Calibrated probability that the run so far is defective.
        anomaly: Mean reconstruction error of the run so far.
        state: For the next call.
    """

    clip_probabilities: Float32[np.ndarray, "N K"]
    clip_anomaly: Float32[np.ndarray, " N"]
    probabilities: Float32[np.ndarray, " K"]
    score: float
    p_defect: float
    anomaly: float
    state: RunState


class VideoGraph:
    """The ONNX graph of a video classifier, loaded.

    Args:
        bundle: A verified bundle.
        n_threads: Threads of the network; 0 leaves it to onnxruntime, which takes one a core.
    """

    def __init__(self, bundle: Bundle, *, n_threads: int = 0) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = n_threads
        self._bundle = bundle
        path = bundle.folder / GRAPH
        try:
            self._session = InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a private family of exceptions
            raise WeldError(f"bundle {bundle.folder}: {GRAPH} cannot be loaded ({error}); export it again") from error
        self._check_contract()

    def _check_contract(self) -> None:
        folder, classes = self._bundle.folder, self._bundle.description.classes
        inputs = tuple(value.name for value in self._session.get_inputs())
        outputs = {value.name: value.shape for value in self._session.get_outputs()}
        if inputs != INPUTS or not outputs.keys() >= set(OUTPUTS):
            raise WeldError(
                f"bundle {folder}: the graph maps {inputs} to {tuple(outputs)}, "
                f"expected {INPUTS} to {OUTPUTS}; export it again"
            )
        if outputs["probabilities"] != [len(classes)]:
            raise WeldError(
                f"bundle {folder}: the graph tells {outputs['probabilities']} classes apart, "
                f"bundle.json names {len(classes)}; export it again"
            )

    def start(self) -> RunState:
        """Return the state before the first clip."""
        size = self._bundle.description.latent_size
        return RunState(np.zeros(size, np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32))

    def step(self, frames: UInt8[np.ndarray, "N T H W 3"], state: RunState) -> GraphOutput:
        """Return the graph's answer to some more clips.

        Raises:
            WeldError: If an output is not a finite number: no verdict may rest on it.
        """
        feed = dict(zip(INPUTS, (frames, state.latent_sum, state.anomaly_sum, state.n_clips), strict=True))
        values: dict[str, Any] = dict(zip(OUTPUTS, self._session.run(list(OUTPUTS), feed), strict=True))
        for name, value in values.items():
            # A NaN compares as neither above nor below a threshold, so it would slip through as a pass.
            if not np.isfinite(value).all():
                raise WeldError(
                    f"bundle {self._bundle.folder}: output {name!r} is not finite for a clip of shape {frames.shape}; "
                    "the model is broken, train and export it again"
                )
        return GraphOutput(
            clip_probabilities=values["clip_probabilities"],
            clip_anomaly=values["clip_anomaly"],
            probabilities=values["probabilities"],
            score=float(values["score"][0]),
            p_defect=float(values["p_defect"][0]),
            anomaly=float(values["anomaly"][0]),
            state=RunState(values["latent_sum_out"], values["anomaly_sum_out"], values["n_clips_out"]),
        )
