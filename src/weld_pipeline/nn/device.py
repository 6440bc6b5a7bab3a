"""Device and precision: whether there is a GPU, which types it multiplies, and what a training runs on."""

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
    """Return whether the processor has instructions for bfloat16 products (AVX512-BF16 or AMX)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@dataclass(frozen=True)
class TrainingCompute:
    """Device and precision of a training.

    Attributes:
        precision: With `bf16` the trunk runs under autocast; weights, head and loss stay float32.
    """

    device: Device
    precision: Precision
    reason: str


def choose_training_compute(precision: Literal["auto", "bf16", "fp32"]) -> TrainingCompute:
    """Return device and precision for a training, and log them.

    `auto` never takes bf16 on a processor: with torch 2.15 one seed gave different results on small images, which depended
    on the earlier contents of memory, and once a loss that was no number.

    Args:
        precision: `auto` takes bf16 on a GPU that multiplies it in hardware; `bf16` and `fp32` are kept.
    """
    device = find_device()
    if precision != "auto":
        chosen = TrainingCompute(device, precision, "set by the parameters")
    elif device == "cpu":
        chosen = TrainingCompute(device, "fp32", "training in bf16 is not reproducible on a processor")
    elif torch.cuda.is_bf16_supported():
        chosen = TrainingCompute(device, "bf16", "the GPU multiplies bfloat16 in hardware")
    else:
        chosen = TrainingCompute(device, "fp32", "the GPU does not multiply bfloat16 in hardware")
    logger.info("training runs on %s in %s: %s", chosen.device, chosen.precision, chosen.reason)
    return chosen
