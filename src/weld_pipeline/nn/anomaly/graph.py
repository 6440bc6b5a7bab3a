"""Graph of an anomaly detector: uint8 images of any size in, a score and a map of each out."""

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.nn.anomaly.preprocess import MapPreprocess


class AnomalyGraph(nn.Module):
    """Preprocessing and a detector as one graph.

    The threshold is no part of the graph: a shop may fit another from its own good images.
    """

    def __init__(self, preprocess: MapPreprocess, network: nn.Module) -> None:
        """Join fitted parts.

        Args:
            network: Detector that maps normalised images [B, 3, S, S] to scores [B] and maps [B, S, S]; higher is worse.
        """
        super().__init__()
        self.preprocess = preprocess
        self.network = network
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: UInt8[Tensor, "N H W 3"]) -> tuple[Float[Tensor, " N"], Float[Tensor, "N S S"]]:
        """Return the score and the map of images, or of tiles of them."""
        return self.from_prepared(self.preprocess.prepare(images))

    def from_prepared(self, prepared: UInt8[Tensor, "N S S C"]) -> tuple[Float[Tensor, " N"], Float[Tensor, "N S S"]]:
        """Return the score and the map of prepared images."""
        score, anomaly_map = self.network(self.preprocess.normalise(prepared))
        return score, anomaly_map
