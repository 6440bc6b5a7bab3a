"""Heads on an embedding: softmax, ArcFace or CosFace. A margin counts in training only."""

import math
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from pytorch_metric_learning.losses import ArcFaceLoss, CosFaceLoss  # type: ignore[attr-defined]
from pytorch_metric_learning.reducers import DoNothingReducer  # type: ignore[attr-defined]
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.core.errors import WeldError

HeadKind = Literal["softmax", "arcface", "cosface"]

# acos has an infinite slope at ±1, and rounding brings the cosine of two nearly parallel vectors there.
_NEAREST = 1e-6


class Head(nn.Module):
    """Layer from embedding to logits, with the loss of each sample."""

    def __init__(self, *, kind: HeadKind, embedding_size: int, n_classes: int, scale: float, margin: float) -> None:
        """Build the head with random weights.

        Args:
            kind: `softmax`: a linear layer. `arcface` (Deng et al. 2019, section 3.1): adds an angle between the embedding
                and its class. `cosface` (Wang et al. 2018, section 3.1): subtracts a constant from their cosine.
            scale: Factor of the cosines in both margin heads.
            margin: Angle in radians (`arcface`) or cosine (`cosface`).
        """
        super().__init__()
        self.architecture: dict[str, Any] = {
            "kind": kind,
            "embedding_size": embedding_size,
            "n_classes": n_classes,
            "scale": scale,
            "margin": margin,
        }
        self.kind, self.scale = kind, scale
        self.layer: nn.Module
        sizes: dict[str, Any] = {"num_classes": n_classes, "embedding_size": embedding_size, "scale": scale}
        sizes["reducer"] = DoNothingReducer()  # type: ignore[no-untyped-call]
        if kind == "softmax":
            self.layer = nn.Linear(embedding_size, n_classes)
        elif kind == "arcface":
            self.layer = _ArcFace(margin=math.degrees(margin), **sizes)  # type: ignore[no-untyped-call]
        else:
            self.layer = CosFaceLoss(margin=margin, **sizes)  # type: ignore[no-untyped-call]

    @property
    def has_margin(self) -> bool:
        """Return whether the head is trained with a margin."""
        return self.kind != "softmax"

    def forward(self, embedding: Float[Tensor, "B D"]) -> Float[Tensor, "B K"]:
        """Return logits; a margin head gives scaled cosines without the margin, because the class is unknown."""
        if not self.has_margin:
            return self.layer(embedding)
        weight: Tensor = self.layer.W  # type: ignore[assignment]  # [D, K]
        return self.scale * functional.normalize(embedding, dim=1) @ functional.normalize(weight, dim=0)

    def losses(
        self, embedding: Float[Tensor, "B D"], target: Int[Tensor, " B"], *, label_smoothing: float
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample.

        Args:
            embedding: Embedding in float32: the library casts its own weight to the type of the embedding for good.
            label_smoothing: Share of the target distributed over all classes.

        Raises:
            WeldError: If label smoothing is set for a margin head.
        """
        check_smoothing(self.kind, label_smoothing)
        if not self.has_margin:
            logits = self.layer(embedding)
            return functional.cross_entropy(logits, target, reduction="none", label_smoothing=label_smoothing)
        return self.layer(embedding, target)["loss"]["losses"]


class _ArcFace(ArcFaceLoss):
    def get_angles(self, cosine_of_target_classes: Tensor) -> Tensor:
        return super().get_angles(cosine_of_target_classes.clamp(-1 + _NEAREST, 1 - _NEAREST))  # type: ignore[no-untyped-call]


def check_smoothing(kind: HeadKind, label_smoothing: float) -> None:
    """Refuse label smoothing for a margin head: a margin needs one class, and a smoothed target has many."""
    if kind != "softmax" and label_smoothing:
        raise WeldError(
            f"head.kind is {kind} and training.label_smoothing {label_smoothing}: a margin needs one class an image; "
            "set label_smoothing to 0, or head.kind to softmax"
        )


def weighted_mean(
    values: Float[Tensor, " B"], target: Int[Tensor, " B"], class_weights: Float[Tensor, " K"] | None
) -> Float[Tensor, ""]:
    """Return the mean over samples, weighted by class, as torch's cross-entropy computes it."""
    if class_weights is None:
        return values.mean()
    weights = class_weights[target]
    return (weights * values).sum() / weights.sum()


def balanced_class_weights(labels: Int[Tensor, " N"], n_classes: int) -> Float[Tensor, " K"]:
    """Return N / (K · N_k) of each class, so that every class weighs the same; give it the labels of train.

    Raises:
        WeldError: If a class has no sample.
    """
    counts = torch.bincount(labels, minlength=n_classes)
    if (counts == 0).any():
        raise WeldError(f"class {int(counts.argmin())} of {n_classes} has no image in train; it cannot be balanced")
    return len(labels) / (n_classes * counts.float())
