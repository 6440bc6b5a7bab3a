"""Graph of an anomaly detector: uint8 squares, or images of any size, in, a score and a map of each out."""

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.nn.anomaly.preprocess import MapPreprocess


class AnomalyGraph(nn.Module):
    """Preprocessing and a detector as one graph.

    The threshold is no part of the graph: a shop may fit another from its own good images.
    """

    def __init__(self, preprocess: MapPreprocess, network: nn.Module, *, resizes: bool = False) -> None:
        """Join fitted parts.

        Args:
            network: Detector that maps normalised images [B, 3, S, S] to scores [B] and maps [B, S, S]; higher is worse.
            resizes: Whether the graph takes images of any size and resizes them itself.
        """
        super().__init__()
        self.resizes = resizes
        self.preprocess = preprocess
        self.network = network
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: UInt8[Tensor, "N h w C"]) -> tuple[Float[Tensor, " N"], Float[Tensor, "N S S"]]:
        """Return the score and the map of images, or of tiles of them.

        Args:
            images: Squares of `media.resize.resize_to_square`; RGB of any size where the graph resizes.
        """
        score, anomaly_map = self.network(self.preprocess(self.preprocess.resize(images) if self.resizes else images))
        return score, anomaly_map
