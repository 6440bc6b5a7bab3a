"""Learner of a student: the loss of a step and its optimiser (Batzner et al. 2024, algorithm 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher
from weld_pipeline.nn.image.preprocess import luma

_RECOLOURING = (0.8, 1.2)  # range of the factor
_LATE, _LATE_FACTOR = 0.95, 0.1  # the learning rate is a tenth after this share of the steps
LOSSES = ("hard", "penalty", "autoencoder", "student_autoencoder")


@dataclass(frozen=True)
class StudentSteps:
    """How a student is trained.

    Attributes:
        n_steps: Number of batches, rounded up to whole epochs of equal length.
        batch_size: Images a step.
        learning_rate: Learning rate of Adam; a tenth of it in the last twentieth of the steps.
        weight_decay: Weight decay of Adam.
        p_hard: Share of a step's differences, the smallest ones, that the loss leaves out. The paper's 0.999 needs the
            paper's 70,000 steps: in a few hundred, a thousandth of the differences teaches the student little.
        steps_per_epoch: Largest number of steps between two checkpoints; each checkpoint follows a validation.
        seed: Seed of initial weights, order, recolouring and dropout.
    """

    n_steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    p_hard: float
    steps_per_epoch: int
    seed: int

    @property
    def n_epochs(self) -> int:
        """Return the number of epochs."""
        return max(1, -(-self.n_steps // self.steps_per_epoch))

    @property
    def epoch_steps(self) -> int:
        """Return the number of steps of each epoch."""
        return -(-self.n_steps // self.n_epochs)


class StudentLearner(pl.LightningModule):
    """Trains on a batch of prepared images and a batch of penalty images a step.

    Logs `train_loss`, its four terms as `train_hard train_penalty train_autoencoder train_student_autoencoder`, and
    `valid_loss`: the sum of the mean squared differences between student, autoencoder and teacher on valid. It has no hard
    selection, which would follow a few pixels.
    """

    def __init__(self, network: StudentTeacher, *, preprocess: MapPreprocess, steps: StudentSteps) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        # Its buffers are not trained.
        self.preprocess = preprocess
        self.steps = steps
        self._sums = torch.zeros(len(LOSSES))

    def training_step(self, batch: Sequence[Tensor], batch_idx: int) -> Float[Tensor, ""]:
        prepared, penalty_images = batch  # [B, S, S, C] each
        generator = np.random.default_rng([self.steps.seed, self.current_epoch, batch_idx])
        images, penalty, changed = (
            self.preprocess.normalise(each) for each in (prepared, penalty_images, recoloured(prepared, generator))
        )
        losses = student_losses(self.network, images, penalty, changed, p_hard=self.steps.p_hard)
        self._sums = self._sums.to(losses.device) + losses.detach()
        return losses.sum()

    def validation_step(self, prepared: UInt8[Tensor, "B S S C"]) -> None:
        images = self.preprocess.normalise(prepared)
        imitated, predicted = self.network.student(images)
        targets, expected = self.network.targets(images), self.network.autoencoder(images)
        pairs = ((targets, imitated), (targets, expected), (expected, predicted))
        loss = torch.stack([(one - other).square().mean() for one, other in pairs]).sum()
        self.log("valid_loss", loss, batch_size=len(prepared))

    def on_validation_epoch_end(self) -> None:
        # Once an epoch: logging in each step would cost as much as a step of a small network.
        means = self._sums / self.steps.epoch_steps
        terms = {f"train_{name}": value for name, value in zip(LOSSES, means, strict=True)}
        self.log_dict({"train_loss": means.sum(), **terms})
        self._sums = torch.zeros_like(self._sums)

    def configure_optimizers(self) -> Any:
        parameters = [value for value in self.network.parameters() if value.requires_grad]
        optimizer = torch.optim.Adam(
            parameters, lr=self.steps.learning_rate, weight_decay=self.steps.weight_decay, fused=True
        )
        late = int(_LATE * self.steps.n_epochs * self.steps.epoch_steps)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=max(1, late), gamma=_LATE_FACTOR)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def student_losses(
    network: StudentTeacher,
    images: Float[Tensor, "B 3 S S"],
    penalty_images: Float[Tensor, "B 3 S S"],
    changed: Float[Tensor, "B 3 S S"],
    *,
    p_hard: float,
) -> Float[Tensor, " 4"]:
    """Return the terms of the loss, as in `LOSSES`.

    All three kinds of images go through the student's body together. Each part of its last convolution sees only the
    images of its own loss.

    Args:
        network: Network in training mode.
        changed: Recoloured good images, for the autoencoder.
    """
    n = len(images)
    with torch.no_grad():
        targets, changed_targets = torch.split(network.targets(torch.cat([images, changed])), n)
    body, (imitating, predicting) = network.student.body, network.student.parts
    described, changed_described = torch.split(body(torch.cat([images, penalty_images, changed])), [2 * n, n])
    imitated, penalised = torch.split(imitating(described), n)
    expected = network.autoencoder(changed)
    return torch.stack(
        [
            hardest_mean((targets - imitated).square(), p_hard),
            penalised.square().mean(),
            (changed_targets - expected).square().mean(),
            (expected - predicting(changed_described)).square().mean(),
        ]
    )


def hardest_mean(values: Float[Tensor, "..."], p_hard: float) -> Float[Tensor, ""]:
    """Return the mean of the values at or above their quantile `p_hard` (§3.2).

    `topk` equals torch.quantile where there are no ties. It takes half the time and has no limit of 16 million values.
    """
    flat = values.flatten()
    rank = p_hard * (len(flat) - 1)
    return flat.topk(len(flat) - int(np.ceil(rank)), sorted=False).values.mean()


def recoloured(prepared: UInt8[Tensor, "B S S C"], generator: np.random.Generator) -> UInt8[Tensor, "B S S C"]:
    """Return images with one of brightness, contrast or saturation changed by a factor of 0.8 to 1.2.

    A change of saturation leaves grey images as they are.
    """
    pixels = prepared.float()
    grey = luma(prepared) if prepared.shape[3] > 1 else pixels
    anchors = torch.stack(
        [torch.zeros_like(pixels), grey.mean(dim=(1, 2, 3), keepdim=True).expand_as(pixels), grey.expand_as(pixels)]
    )
    n = len(prepared)
    kinds = torch.from_numpy(generator.integers(0, 3, n)).to(prepared.device)
    factor = torch.from_numpy(generator.uniform(*_RECOLOURING, n).astype(np.float32)).to(prepared.device)
    anchor = anchors[kinds, torch.arange(n, device=prepared.device)]
    changed = anchor + factor[:, None, None, None] * (pixels - anchor)
    return changed.clamp(0, 255).to(torch.uint8)
