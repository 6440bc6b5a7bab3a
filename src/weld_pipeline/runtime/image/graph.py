"""Image graph: images and views in, what they are out."""

from dataclasses import dataclass

import numpy as np

from weld_pipeline.core.shapes import Float32, Int64, UInt8
from weld_pipeline.engines.session import Engine
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.contracts import ViewsInput
from weld_pipeline.runtime.graph_session import GraphSession

INPUTS = ("images", "views")
OUTPUTS = ("logits", "probabilities", "score")


@dataclass(frozen=True)
class ImageScores:
    """The graph's answer to some images.

    Attributes:
        logits: Log of the mean over the views of the softmax; uncalibrated.
        probabilities: Probabilities of the classes, temperature-scaled where calibrated.
        score: Log-odds of not good; higher is worse.
    """

    logits: Float32[np.ndarray, "N K"]
    probabilities: Float32[np.ndarray, "N K"]
    score: Float32[np.ndarray, " N"]


class ImageGraph:
    """The ONNX graph of an image classifier, loaded.

    Args:
        bundle: A verified bundle of an image family.
        n_threads: Threads of the network; 0 leaves it to the engine, which takes one a core.
        engine: What runs the graph; see `engines.open.open_graph`.

    Attributes:
        contract: What the graph is fed.
    """

    def __init__(self, bundle: Bundle, *, n_threads: int = 0, engine: Engine = "onnxruntime") -> None:
        self.contract = bundle.fed(ViewsInput)
        self._session = GraphSession(bundle, inputs=INPUTS, outputs=OUTPUTS, n_threads=n_threads, engine=engine)

    def run(self, images: UInt8[np.ndarray, "N h w C"], views: Int64[np.ndarray, "V 3"]) -> ImageScores:
        """Return what the graph says of images.

        Args:
            images: Images as `contract.fed` gives them.
            views: From `media.views.crop_views`, for the sizes in `contract`.

        Raises:
            WeldError: If an output is not a finite number: no verdict may rest on it.
        """
        return ImageScores(**self._session.run(images, views, what=f"images of shape {images.shape}"))
