"""Autoencoder of clip features: 400 → 256 → 64 → 256 → 400 by default."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """A symmetric, fully connected autoencoder with one hidden layer each way."""

    def __init__(self, *, n_features: int = 400, hidden: int = 256, latent: int = 64) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {"n_features": n_features, "hidden": hidden, "latent": latent}
        self.encoder = nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, n_features))

    def forward(self, features: Float[Tensor, "B F"]) -> tuple[Float[Tensor, "B F"], Float[Tensor, "B L"]]:
        """Return the reconstruction and the latent."""
        latent = self.encoder(features)
        return self.decoder(latent), latent


def reconstruction_error(reconstruction: Float[Tensor, "B F"], features: Float[Tensor, "B F"]) -> Float[Tensor, " B"]:
    """Return the SmoothL1 error of each row, averaged over its features."""
    return nn.functional.smooth_l1_loss(reconstruction, features, reduction="none").mean(dim=1)


def autoencoder_loss(
    reconstruction: Float[Tensor, "B F"],
    latent: Float[Tensor, "B L"],
    features: Float[Tensor, "B F"],
    *,
    latent_penalty: float,
) -> Float[Tensor, ""]:
    """Return SmoothL1 plus `latent_penalty` · ‖latent‖², the squared norm averaged over the batch."""
    squared_norm = torch.sum(latent**2, dim=1)
    return reconstruction_error(reconstruction, features).mean() + latent_penalty * squared_norm.mean()
