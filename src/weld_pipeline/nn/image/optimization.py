"""How an image classifier learns: which parameter at which rate, by which optimiser, on which schedule."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pytorch_optimizer import Ranger21
from timm.optim import param_groups_layer_decay, param_groups_weight_decay  # type: ignore[attr-defined]
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.nn.training.loop import TrainingPlan

_MOMENTUM = 0.9


@dataclass(frozen=True)
class ImageSteps:
    """How a network learns.

    Attributes:
        optimizer: `ranger21` (Wright and Demeure 2021), `adamw`, or `sgd` with Nesterov's momentum.
        learning_rate: Of the head, at its highest.
        trunk_lr_factor: Of the trunk's rate against the head's.
        layer_decay: Factor of the rate from one layer of the trunk to the one below; 1 for none.
        weight_decay: Of weights; biases and norms have none.
        frozen_stages: Stages of the trunk, after its stem, that stay as they are; 0 for none, not even the stem.
        batch_norm: `train` collects statistics while training; `freeze` keeps those the trunk came with, as is right for
            small sets and necessary for weights whose batch norms were folded into the convolutions.
        warmup_epochs: Over which the rate rises from 0; a cosine brings it down to 0 at the last epoch.
        max_epochs: Upper end.
        patience: Epochs without a better one before it stops.
        batch_size: Images a step.
        clip_norm: Largest norm of the gradient; 0 for no limit.
        ema_decay: Of the moving average of the weights, which is what is validated and saved; 0 for none.
        balance: `none`; `class_weights` in the loss; `sampling` with as many images of every class an epoch.
        label_smoothing: Share of the target spread over all classes, for the softmax only.
        progressive: (side [px], share of epochs), in order; empty for the full side throughout.
        monitor: What the best epoch is chosen by: `valid_loss`, smooth on few images, or `valid_accuracy`.
        seed: Of initial weights, order, and every change of an image.
    """

    optimizer: Literal["ranger21", "adamw", "sgd"]
    learning_rate: float
    trunk_lr_factor: float
    layer_decay: float
    weight_decay: float
    frozen_stages: int
    batch_norm: Literal["train", "freeze"]
    warmup_epochs: float
    max_epochs: int
    patience: int
    batch_size: int
    clip_norm: float
    ema_decay: float
    balance: Literal["none", "class_weights", "sampling"]
    label_smoothing: float
    progressive: tuple[tuple[int, float], ...]
    monitor: Literal["valid_loss", "valid_accuracy"]
    seed: int

    @property
    def plan(self) -> TrainingPlan:
        """Return the plan."""
        mode: Literal["min", "max"] = "min" if self.monitor == "valid_loss" else "max"
        return TrainingPlan(self.max_epochs, self.patience, self.monitor, mode, self.seed)


def parameter_groups(network: ImageClassifier, steps: ImageSteps) -> list[dict[str, Any]]:
    """Return what learns, in groups of one rate and one decay; what is frozen is in none. The head's are first."""
    head = param_groups_weight_decay(network.head, steps.weight_decay)
    for group in head:
        group["lr"] = steps.learning_rate
    trunk = _trunk_groups(network.trunk.body, steps)
    for group in trunk:
        group["lr"] = steps.learning_rate * steps.trunk_lr_factor * group.pop("lr_scale", 1.0)
    return [*head, *trunk]


def _trunk_groups(body: nn.Module, steps: ImageSteps) -> list[dict[str, Any]]:
    if steps.layer_decay == 1:
        return param_groups_weight_decay(body, steps.weight_decay)
    return param_groups_layer_decay(body, steps.weight_decay, layer_decay=steps.layer_decay)


def make_optimizer(groups: list[dict[str, Any]], steps: ImageSteps) -> Optimizer:
    """Return the optimiser over groups that carry their own rate and decay.

    Ranger21 comes without its own warm-up and warm-down: the schedule here is the same for all.
    """
    if steps.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=steps.learning_rate)
    if steps.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=steps.learning_rate, momentum=_MOMENTUM, nesterov=True)
    return Ranger21(groups, num_iterations=1, lr=steps.learning_rate, disable_lr_scheduler=True)


def make_schedule(optimizer: Optimizer, steps: ImageSteps, *, steps_per_epoch: int) -> LambdaLR:
    """Return the schedule, to be stepped after every batch."""
    factor = rate_factor(
        n_warmup=round(steps.warmup_epochs * steps_per_epoch), n_steps=steps.max_epochs * steps_per_epoch
    )
    return LambdaLR(optimizer, factor)


def rate_factor(*, n_warmup: int, n_steps: int) -> Callable[[int], float]:
    """Return step → factor of the rate: linear over the warm-up, then a half cosine to 0 after the last step.

    >>> [round(rate_factor(n_warmup=2, n_steps=6)(step), 3) for step in range(7)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def factor(step: int) -> float:
        if step < n_warmup:
            return (step + 1) / n_warmup
        done = (step - n_warmup) / max(1, n_steps - n_warmup)
        return (1 + math.cos(math.pi * min(1.0, done))) / 2

    return factor
