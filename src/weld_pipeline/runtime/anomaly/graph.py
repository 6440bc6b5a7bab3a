"""Detector graph: images in, a score and a map of each out."""

from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Float32, UInt8
from weld_pipeline.engines.session import Engine
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.contracts import AnomalyInput
from weld_pipeline.runtime.graph_session import GraphSession

INPUTS = ("images",)
OUTPUTS = ("score", "anomaly_map")
# Images in one call: more gain nothing on a processor, and the patches of each are held against the whole memory bank.
_MAX_BATCH = 4


class DetectorGraph:
    """The ONNX graph of an anomaly detector, loaded.

    Args:
        bundle: A verified bundle of a detector.
        n_threads: Threads of the network; 0 leaves it to the engine, which takes one a core.
        engine: What runs the graph; see `engines.open.open_graph`.

    Attributes:
        contract: What the graph is fed.
    """

    def __init__(self, bundle: Bundle, *, n_threads: int = 0, engine: Engine = "onnxruntime") -> None:
        self._bundle = bundle
        self.contract = bundle.fed(AnomalyInput)
        self._session = GraphSession(bundle, inputs=INPUTS, outputs=OUTPUTS, n_threads=n_threads, engine=engine)

    def run(
        self, images: UInt8[np.ndarray, "N h w C"]
    ) -> tuple[Float32[np.ndarray, " N"], Float32[np.ndarray, "N S S"]]:
        """Return score and map of images, or tiles, as `contract.fed` gives them; higher is worse.

        Raises:
            WeldError: If an output is not a finite number, or the maps are not of the size the bundle tells: no verdict
                may rest on them.
        """
        answers = [self._answer(images[at : at + _MAX_BATCH]) for at in range(0, len(images), _MAX_BATCH)]
        return np.concatenate([each["score"] for each in answers]), np.concatenate(
            [each["anomaly_map"] for each in answers]
        )

    def _answer(self, images: UInt8[np.ndarray, "B h w C"]) -> dict[str, Any]:
        values = self._session.run(images, what=f"images of shape {images.shape}")
        side = self.contract.image_px
        if values["anomaly_map"].shape != (len(images), side, side):
            raise WeldError(
                f"bundle {self._bundle.folder}: the graph gives maps of shape {values['anomaly_map'].shape}, "
                f"bundle.json tells {side} px; export it again"
            )
        return values
