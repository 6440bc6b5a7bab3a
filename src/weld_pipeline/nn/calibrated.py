"""Calibrated outputs: what follows the logits of any classifier in a graph."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


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
