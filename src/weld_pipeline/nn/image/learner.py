"""Learner of an image classifier: the loss of a step and its optimiser."""

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from jaxtyping import Float, Int
from timm.utils import ModelEmaV3  # type: ignore[attr-defined]
from torch import Tensor
from torch.nn import functional

from weld_pipeline.nn.device import Precision
from weld_pipeline.nn.image.augment import Augmentation, Mixed, Mixing, augmented, mixed, px_of_epoch
from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.nn.image.heads import weighted_mean
from weld_pipeline.nn.image.optimization import ImageSteps, make_optimizer, make_schedule, parameter_groups
from weld_pipeline.nn.image.trunk import freeze_stages, rest_frozen


class ImageLearner(pl.LightningModule):
    """Trains on a batch of cached images a step; logs `train_loss train_accuracy valid_loss valid_accuracy lr`.

    `train_loss` is minimised and includes margin, smoothing, class weights and mixing. `valid_loss` is the cross-entropy
    of the logits in use, without any of these. `lr` is the head's learning rate, averaged over the epoch.
    """

    def __init__(
        self,
        network: ImageClassifier,
        *,
        steps: ImageSteps,
        augmentation: Augmentation,
        mixing: Mixing,
        class_weights: Float[Tensor, " K"] | None,
        centre: Int[Tensor, "1 3"],
        steps_per_epoch: int,
        precision: Precision,
    ) -> None:
        """Prepare the network for training.

        Args:
            network: Network; its frozen stages lose their gradients.
            centre: Centre view, used in validation.
            precision: Precision of the trunk in training; validation is in float32, as the exported graph is.
        """
        super().__init__()
        freeze_stages(network.trunk, steps.frozen_stages)
        # Lightning keeps the mode of every part.
        rest_frozen(network, batch_norms=steps.batch_norm == "freeze")
        # Cached images are channels-last, and so the convolutions need no copy.
        self.network = network.to(memory_format=torch.channels_last)
        self.ema = ModelEmaV3(self.network, decay=steps.ema_decay, use_warmup=True) if steps.ema_decay else None
        self.steps, self.augmentation, self.mixing = steps, augmentation, mixing
        self.steps_per_epoch = steps_per_epoch
        self.precision = precision
        self.class_weights: Tensor | None
        self.centre: Tensor
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.register_buffer("centre", centre, persistent=False)

    @property
    def judged(self) -> ImageClassifier:
        """Return the network that is validated and saved: the moving average, if there is one."""
        if self.ema is None:
            return self.network
        average: ImageClassifier = self.ema.module
        return average

    def train(self, mode: bool = True) -> "ImageLearner":
        super().train(mode)
        rest_frozen(self.network, batch_norms=self.steps.batch_norm == "freeze")
        return self

    def training_step(self, batch: Sequence[Tensor], batch_idx: int) -> Float[Tensor, ""]:
        images, target = batch  # [B, R, R, C], [B]
        batch_mixed = self._training_batch(images, target, batch_idx)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            embedding = self.network.embed(batch_mixed.images)
        embedding = embedding.float()
        loss = self._mixed_loss(embedding, batch_mixed)
        with torch.no_grad():
            predicted = self.network.head(embedding).argmax(dim=1)
        shares = (batch_mixed.share, batch_mixed.first), (1 - batch_mixed.share, batch_mixed.second)
        accuracy = sum(share * (predicted == of_class).float().mean() for share, of_class in shares)
        rate = float(self.trainer.optimizers[0].param_groups[0]["lr"])
        metrics = {"train_loss": loss, "train_accuracy": accuracy, "lr": rate}
        self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(predicted))
        return loss

    def validation_step(self, batch: Sequence[Tensor], batch_idx: int) -> None:  # noqa: ARG002
        images, target = batch
        crops = self.network.preprocess.crop(images, self.centre).flatten(0, 1)
        logits = self.judged.classify_crops(crops)
        metrics = {
            "valid_loss": functional.cross_entropy(logits, target),
            "valid_accuracy": (logits.argmax(dim=1) == target).float().mean(),
        }
        self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(target))

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:  # noqa: ARG002
        if self.steps.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.steps.clip_norm)

    def on_train_batch_end(self, *_: Any) -> None:
        if self.ema is not None:
            self.ema.update(self.network, step=self.global_step)

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(parameter_groups(self.network, self.steps), self.steps)
        schedule = make_schedule(optimizer, self.steps, steps_per_epoch=self.steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _training_batch(self, images: Tensor, target: Tensor, batch_idx: int) -> Mixed:
        """Return an augmented and mixed batch; chance depends on seed, epoch and batch number alone."""
        preprocess = self.network.preprocess
        generator = np.random.default_rng([self.steps.seed, self.current_epoch, batch_idx])
        px = px_of_epoch(
            self.steps.progressive,
            epoch=self.current_epoch,
            max_epochs=self.steps.max_epochs,
            crop_px=preprocess.crop_px,
        )
        crops = augmented(images, self.augmentation, crop_px=preprocess.crop_px, out_px=px, generator=generator)
        return mixed(preprocess.normalise(crops), target, self.mixing, generator)

    def _mixed_loss(self, embedding: Float[Tensor, "B D"], batch: Mixed) -> Float[Tensor, ""]:
        loss = self._loss(embedding, batch.first)
        if batch.share == 1:
            return loss
        return batch.share * loss + (1 - batch.share) * self._loss(embedding, batch.second)

    def _loss(self, embedding: Float[Tensor, "B D"], target: Int[Tensor, " B"]) -> Float[Tensor, ""]:
        values = self.network.head.losses(embedding, target, label_smoothing=self.steps.label_smoothing)
        return weighted_mean(values, target, self.class_weights)
