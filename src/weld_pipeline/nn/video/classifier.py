"""Classifier of a run's pooled latent: 64 → 128 → K classes by default."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn


class LatentClassifier(nn.Module):
    """A multi-layer perceptron with one hidden layer."""

    def __init__(self, *, latent: int = 64, hidden: int = 128, n_classes: int = 12, dropout: float = 0.0) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "latent": latent,
            "hidden": hidden,
            "n_classes": n_classes,
            "dropout": dropout,
        }
        self.layers = nn.Sequential(
            nn.Linear(latent, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, n_classes)
        )

    def forward(self, latent: Float[Tensor, "B L"]) -> Float[Tensor, "B K"]:
        """Return uncalibrated logits."""
        return self.layers(latent)
