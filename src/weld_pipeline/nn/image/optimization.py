"""Optimisation of an image classifier: parameter groups, optimiser and schedule."""

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
    """How an image classifier is trained.

    Attributes:
        optimizer: Optimiser: `ranger21` (Wright and Demeure 2021), `adamw`, or `sgd` with Nesterov's momentum.
        learning_rate: Highest learning rate of the head.
        trunk_lr_factor: Learning rate of the trunk over that of the head.
        layer_decay: Factor of the learning rate from one layer of the trunk to the one below; 1 for none.
        weight_decay: Weight decay; biases and norms have none.
        frozen_stages: Number of frozen stages of the trunk after its stem; 0 freezes nothing, not even the stem.
        batch_norm: `train` updates statistics in training. `freeze` keeps the trunk's own: better for small sets, and
            necessary for weights whose batch norms were folded into the convolutions.
        warmup_epochs: Number of epochs in which the rate rises from 0; a cosine then brings it to 0 at the last epoch.
        patience: Number of epochs without a better one after which training stops.
        clip_norm: Largest norm of the gradient; 0 for no limit.
        ema_decay: Decay of the moving average of the weights, which is validated and saved; 0 for none.
        balance: Balance of classes: `none`, `class_weights` in the loss, or `sampling` of every class equally often.
        label_smoothing: Share of the target distributed over all classes, for the softmax only.
        progressive: Stages of growing images as (side [px], share of epochs), in order; empty for the full side throughout.
        monitor: Metric that the best epoch is chosen by: `valid_loss`, which is smooth on few images, or
            `valid_accuracy`.
        seed: Seed of initial weights, order, and every change of an image.
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
    """Return the trained parameters in groups of one rate and one decay, the head's first."""
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

    Ranger21 runs without its own warm-up and warm-down: all optimisers share one schedule.
    """
    if steps.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=steps.learning_rate)
    if steps.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=steps.learning_rate, momentum=_MOMENTUM, nesterov=True)
    return Ranger21(groups, num_iterations=1, lr=steps.learning_rate, disable_lr_scheduler=True)


def make_schedule(optimizer: Optimizer, steps: ImageSteps, *, steps_per_epoch: int) -> LambdaLR:
    """Return the schedule; step it after every batch."""
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
