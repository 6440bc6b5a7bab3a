"""Compute of a video trunk: its device and precision, chosen once and logged."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.compiled import CompiledModule
from weld_pipeline.nn.device import Device, Precision, find_device, has_fast_bf16
from weld_pipeline.nn.video.trunk import VideoTrunk

logger = logging.getLogger(__name__)

# Embedding [B, D] and logits [B, K] of cropped clips, float32.
Encoded = tuple[Float[np.ndarray, "B D"], Float[np.ndarray, "B K"]]
Encoder = Callable[[UInt8[Tensor, "B T h w 3"]], Encoded]

_NOT_ROUNDED = ", though the processor has neither AVX512-BF16 nor AMX and may compute in fp32 all the same"


@dataclass(frozen=True)
class Compute:
    """Device and precision of a trunk.

    Attributes:
        precision: `bf16` computes in bfloat16 where the engine finds it safe; `fp32` computes in float32 throughout.
        rounding: Rounding error of bf16: root mean square difference of features, in standard deviations between clips;
            None where it was not measured.
    """

    device: Device
    precision: Precision
    reason: str
    rounding: float | None

    def encoder(self, trunk: VideoTrunk, *, window: int) -> Encoder:
        """Return the trunk ready for clips of a length: compiled for the processor, or as it is on the GPU."""
        if self.device == "cuda":
            return _CudaEncoder(trunk.to(device="cuda", memory_format=torch.channels_last_3d), self.precision)  # type: ignore[call-overload]
        example = torch.zeros(1, window, *trunk.preprocess.crop_size, 3, dtype=torch.uint8)
        compiled = CompiledModule(_FromCropped(trunk), example, precision=self.precision)

        def encode(cropped: UInt8[Tensor, "B T h w 3"]) -> Encoded:
            embedding, logits = compiled(cropped)
            return embedding, logits

        return encode


class _FromCropped(nn.Module):
    def __init__(self, trunk: VideoTrunk) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, cropped: UInt8[Tensor, "B T h w 3"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B K"]]:
        return self.trunk.encode(self.trunk.preprocess.normalise(cropped))


@dataclass(frozen=True)
class _CudaEncoder:
    trunk: VideoTrunk
    precision: Precision

    def __call__(self, cropped: UInt8[Tensor, "B T h w 3"]) -> Encoded:
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=self.precision == "bf16"):
            clips = self.trunk.preprocess.normalise(cropped.to("cuda"))
            embedding, logits = self.trunk.encode(clips.to(memory_format=torch.channels_last_3d))
        return embedding.float().cpu().numpy(), logits.float().cpu().numpy()


def choose_compute(
    trunk: VideoTrunk,
    cropped: UInt8[Tensor, "B T h w 3"],
    *,
    precision: Literal["auto", "bf16", "fp32"],
    max_rounding: float,
) -> Compute:
    """Return device and precision for a trunk, and log them.

    `auto` takes bf16 where the hardware has it and the rounding error is small. The error is measured in standard
    deviations of the feature between clips, since features are standardised: a feature that hardly varies may be all
    rounding although its relative error is small.

    Args:
        trunk: Trunk in evaluation mode on the CPU.
        cropped: Clips of different recordings, two or more, to measure the rounding on.
        max_rounding: Largest rounding error at which `auto` takes bf16 [standard deviations between clips].

    Raises:
        WeldError: If fewer than two clips are given to measure on.
    """
    device = find_device()
    if precision == "auto" and device == "cpu" and not has_fast_bf16():
        chosen = Compute(device, "fp32", "the processor has neither AVX512-BF16 nor AMX", None)
    elif precision != "auto":
        is_slow = precision == "bf16" and device == "cpu" and not has_fast_bf16()
        chosen = Compute(device, precision, f"set by the parameters{_NOT_ROUNDED if is_slow else ''}", None)
    else:
        rounding = _rounding(trunk, cropped, device)
        holds = rounding <= max_rounding
        reason = f"bf16 rounding is {rounding:.3f} standard deviations between clips, {max_rounding} is allowed"
        chosen = Compute(device, "bf16" if holds else "fp32", reason, rounding)
    logger.info("trunk %s runs on %s in %s: %s", trunk.name, chosen.device, chosen.precision, chosen.reason)
    return chosen


def _rounding(trunk: VideoTrunk, cropped: UInt8[Tensor, "B T h w 3"], device: Device) -> float:
    if len(cropped) < 2:  # noqa: PLR2004 - a standard deviation needs two
        raise WeldError(
            f"precision auto: {len(cropped)} clip(s) to measure rounding on, 2 are needed; set precision to fp32 or bf16"
        )

    def embedding(precision: Precision) -> Float[np.ndarray, "B D"]:
        return Compute(device, precision, "", None).encoder(trunk, window=cropped.shape[1])(cropped)[0]

    reference = embedding("fp32")
    std = reference.std(axis=0)
    varies = std > 0
    return float(np.sqrt(np.mean(np.square((embedding("bf16") - reference)[:, varies] / std[varies]))))
