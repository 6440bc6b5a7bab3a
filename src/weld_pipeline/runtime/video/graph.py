"""Video graph: run clip by clip with a state of constant size."""

from dataclasses import dataclass

import numpy as np

from weld_pipeline.core.shapes import Float32, UInt8
from weld_pipeline.engines.session import Engine
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.contracts import ClipsInput
from weld_pipeline.runtime.graph_session import GraphSession

INPUTS = ("frames", "latent_sum", "anomaly_sum", "n_clips")
OUTPUTS = (
    "clip_probabilities",
    "clip_anomaly",
    "latent_sum_out",
    "anomaly_sum_out",
    "n_clips_out",
    "probabilities",
    "score",
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
        anomaly: Mean reconstruction error of the run so far.
        state: For the next call.
    """

    clip_probabilities: Float32[np.ndarray, "N K"]
    clip_anomaly: Float32[np.ndarray, " N"]
    probabilities: Float32[np.ndarray, " K"]
    score: float
    anomaly: float
    state: RunState


class VideoGraph:
    """The ONNX graph of a video classifier, loaded.

    Args:
        bundle: A verified bundle.
        engine: What runs the graph; see `engines.open.open_graph`.
        n_threads: Threads of the network; 0 leaves it to the engine, which takes one a core.
    """

    def __init__(self, bundle: Bundle, *, engine: Engine = "onnxruntime", n_threads: int = 0) -> None:
        self._latent_size = bundle.fed(ClipsInput).latent_size
        self._session = GraphSession(bundle, inputs=INPUTS, outputs=OUTPUTS, n_threads=n_threads, engine=engine)

    def start(self) -> RunState:
        """Return the state before the first clip."""
        return RunState(np.zeros(self._latent_size, np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32))

    def step(self, frames: UInt8[np.ndarray, "N T H W 3"], state: RunState) -> GraphOutput:
        """Return the graph's answer to some more clips.

        Raises:
            WeldError: If an output is not a finite number: no verdict may rest on it.
        """
        values = self._session.run(
            frames, state.latent_sum, state.anomaly_sum, state.n_clips, what=f"a clip of shape {frames.shape}"
        )
        return GraphOutput(
            clip_probabilities=values["clip_probabilities"],
            clip_anomaly=values["clip_anomaly"],
            probabilities=values["probabilities"],
            score=float(values["score"][0]),
            anomaly=float(values["anomaly"][0]),
            state=RunState(values["latent_sum_out"], values["anomaly_sum_out"], values["n_clips_out"]),
        )
