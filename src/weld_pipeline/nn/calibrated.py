"""Calibrated outputs: what any classifier's graph computes from its logits."""

import torch
from jaxtyping import Float
from torch import Tensor


def class_probabilities(logits: Float[Tensor, "*B K"], *, temperature: float) -> Float[Tensor, "*B K"]:
    """Return probabilities over the classes; a temperature above 1 softens them, below 1 sharpens them."""
    return torch.softmax(logits / temperature, dim=-1)


def defect_score(logits: Float[Tensor, "*B K"], *, good_index: int) -> Float[Tensor, "*B"]:
    """Return the log-odds of "not good": logsumexp of the defects' logits minus the logit of good.

    It equals log(p(not good) / p(good)) of the softmax, without its rounding near 0 and 1. Higher is worse.
    """
    is_defect = torch.arange(logits.shape[-1], device=logits.device) != good_index
    defects = logits.masked_fill(~is_defect, -1e30)  # finite: ONNX's ReduceLogSumExp may turn -inf into NaN
    return torch.logsumexp(defects, dim=-1) - logits[..., good_index]
