"""The classifier over a run's pooled latent: 64 → 128 → K classes by default; and what follows any classifier."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LatentClassifier(nn.Module):
    """A multi-layer perceptron of one hidden layer.

    Attributes:
        architecture: The arguments it was built with.
    """

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


@dataclass(frozen=True)
class Calibration:
    """Fitted on the calib split.

    Attributes:
        temperature: Divides the logits.
        platt_a: Slope of p_defect = 1 / (1 + exp(a·score + b)).
        platt_b: Its offset.
    """

    temperature: float
    platt_a: float
    platt_b: float


def defect_score(logits: Float[Tensor, "*B K"], *, good_index: int) -> Float[Tensor, "*B"]:
    """Return the log-odds of "not good": logsumexp of the defects' logits minus the logit of good.

    It equals log(p(not good) / p(good)) of the softmax, without its rounding near 0 and 1. Higher is worse.
    """
    is_defect = torch.arange(logits.shape[-1], device=logits.device) != good_index
    defects = logits.masked_fill(~is_defect, -1e30)  # finite: ONNX's ReduceLogSumExp may turn -inf into NaN
    return torch.logsumexp(defects, dim=-1) - logits[..., good_index]
