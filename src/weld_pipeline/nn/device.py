"""Device and precision: whether there is a GPU, what it multiplies by itself, and what a training runs on."""

import logging
from dataclasses import dataclass
from typing import Literal

import torch

logger = logging.getLogger(__name__)

Device = Literal["cuda", "cpu"]
Precision = Literal["bf16", "fp32"]


def find_device() -> Device:
    """Return the GPU if torch sees one, else the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def has_fast_bf16() -> bool:
    """Return whether the processor multiplies bfloat16 by itself (AVX512-BF16 or AMX)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@dataclass(frozen=True)
class TrainingCompute:
    """Where and how a network is trained.

    Attributes:
        device: `cuda` or `cpu`.
        precision: `bf16`: forward and backward of the trunk under autocast; weights, head and loss stay float32.
        reason: Why this was chosen.
    """

    device: Device
    precision: Precision
    reason: str


def choose_training_compute(precision: Literal["auto", "bf16", "fp32"]) -> TrainingCompute:
    """Return device and precision for a training, and log them.

    Training in bf16 on a processor is left to those who ask for it: with torch 2.15 small images gave, from one seed,
    results that depended on what the memory held before, and once a loss that was no number.

    Args:
        precision: `auto` takes bf16 on a GPU that multiplies it by itself; the others are taken as they are.
    """
    device = find_device()
    if precision != "auto":
        chosen = TrainingCompute(device, precision, "asked for")
    elif device == "cpu":
        chosen = TrainingCompute(device, "fp32", "on a processor, bf16 does not repeat itself in training")
    elif torch.cuda.is_bf16_supported():
        chosen = TrainingCompute(device, "bf16", "the GPU multiplies bfloat16 by itself")
    else:
        chosen = TrainingCompute(device, "fp32", "the GPU does not multiply bfloat16 by itself")
    logger.info("training runs on %s in %s: %s", chosen.device, chosen.precision, chosen.reason)
    return chosen
