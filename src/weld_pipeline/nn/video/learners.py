"""Learners of the autoencoder and of the classifier: the loss of a step and its optimiser."""

from collections.abc import Sequence

import lightning.pytorch as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.nn.video.autoencoder import Autoencoder, autoencoder_loss, reconstruction_error
from weld_pipeline.nn.video.classifier import LatentClassifier


class AutoencoderLearner(pl.LightningModule):
    """Minimises SmoothL1 plus a penalty on the latent by Adam; logs `train_loss`, `valid_loss`, `valid_error`."""

    def __init__(self, network: Autoencoder, *, latent_penalty: float, learning_rate: float) -> None:
        """Take the network; `latent_penalty` is the factor of ‖latent‖²."""
        super().__init__()
        self.network = network
        self.latent_penalty = latent_penalty
        self.learning_rate = learning_rate

    def training_step(self, features: Float[Tensor, "B F"]) -> Float[Tensor, ""]:
        loss = self._loss(features)[0]
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(features))
        return loss

    def validation_step(self, features: Float[Tensor, "B F"]) -> None:
        loss, reconstruction = self._loss(features)
        error = reconstruction_error(reconstruction, features).mean()
        self.log_dict({"valid_loss": loss, "valid_error": error}, batch_size=len(features))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)

    def _loss(self, features: Float[Tensor, "B F"]) -> tuple[Float[Tensor, ""], Float[Tensor, "B F"]]:
        reconstruction, latent = self.network(features)
        return autoencoder_loss(reconstruction, latent, features, latent_penalty=self.latent_penalty), reconstruction


class ClassifierLearner(pl.LightningModule):
    """Minimises cross-entropy by Adam; logs `train_loss`, `valid_loss`, `train_accuracy`, `valid_accuracy`."""

    def __init__(self, network: LatentClassifier, *, learning_rate: float, weight_decay: float) -> None:
        super().__init__()
        self.network = network
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def training_step(self, batch: Sequence[Tensor]) -> Float[Tensor, ""]:
        return self._step(batch, "train")

    def validation_step(self, batch: Sequence[Tensor]) -> None:
        self._step(batch, "valid")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)

    def _step(self, batch: Sequence[Tensor], split: str) -> Float[Tensor, ""]:
        latent, label = batch  # [B, L], [B]
        logits = self.network(latent)
        loss = nn.functional.cross_entropy(logits, label)
        accuracy = (logits.argmax(dim=1) == label).float().mean()
        metrics = {f"{split}_loss": loss, f"{split}_accuracy": accuracy}
        self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(label))
        return loss
