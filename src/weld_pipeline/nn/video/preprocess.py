"""Preprocessing of a video trunk's frames: resize, centre crop, scale, normalise."""

from collections.abc import Sequence
from typing import cast

import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

# Sizes are symbols while a graph is exported.
Size = int | torch.SymInt


class ClipPreprocess(nn.Module):
    """uint8 frames of any size → normalised clips, as `torchvision.transforms._presets.VideoClassification` makes them.

    Torchvision resizes the whole frame and then drops most of it. Bilinear resizing without antialias reads two source
    rows and two source columns for each output pixel, and only those are gathered here. So a 960×600 frame costs the
    same as a small one, and the frame size stays dynamic in ONNX.
    """

    def __init__(
        self, *, resize_size: Sequence[int], crop_size: Sequence[int], mean: Sequence[float], std: Sequence[float]
    ) -> None:
        """Build the preprocessing that weights define.

        Args:
            resize_size: (height, width) [px], or (short side,) to keep the aspect.
            crop_size: (height, width) [px].
            mean: Mean of each RGB channel, on [0, 1].
            std: Standard deviation of each RGB channel, on [0, 1].
        """
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.resize_size = tuple(resize_size)
        self.crop_size = (int(crop_size[0]), int(crop_size[1]))
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1, 1), persistent=False)

    def forward(self, frames: UInt8[Tensor, "B T H W 3"]) -> Float[Tensor, "B 3 T h w"]:
        return self.normalise(self.crop(frames))

    def crop(self, frames: UInt8[Tensor, "B T H W 3"]) -> UInt8[Tensor, "B T h w 3"]:
        """Return the resized centre crop, rounded to uint8 as torchvision rounds it."""
        height, width = frames.shape[2], frames.shape[3]
        resized_h, resized_w = self._resized(height, width)
        top, bottom, v = _taps(height, resized_h, self.crop_size[0], frames.device)
        left, right, u = _taps(width, resized_w, self.crop_size[1], frames.device)
        rows = torch.stack([top, bottom])[:, None, :, None]
        columns = torch.stack([left, right])[None, :, None, :]
        corners = frames.flatten(2, 3).index_select(2, (rows * width + columns).flatten())
        corners = corners.reshape(*frames.shape[:2], 2, 2, *self.crop_size, 3).float()  # [B, T, row, column, h, w, 3]
        across = corners * torch.stack([1 - u, u])[None, :, None, :, None]
        across = across[:, :, :, 0] + across[:, :, :, 1]
        down = across * torch.stack([1 - v, v])[:, :, None, None]
        return torch.round(down[:, :, 0] + down[:, :, 1]).to(torch.uint8)

    def normalise(self, cropped: UInt8[Tensor, "B T h w 3"]) -> Float[Tensor, "B 3 T h w"]:
        """Return the crop on [0, 1], standardised by mean and standard deviation."""
        return (rearrange(cropped, "b t h w c -> b c t h w").float() / 255 - self.mean) / self.std

    def _resized(self, height: Size, width: Size) -> tuple[Size, Size]:
        if len(self.resize_size) > 1:
            return self.resize_size[0], self.resize_size[1]
        short = torch.sym_min(height, width)
        return self.resize_size[0] * height // short, self.resize_size[0] * width // short


def _taps(
    n_source: Size, n_resized: Size, n_crop: int, device: torch.device
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Float[Tensor, " n"]]:
    """Return, for each pixel of a centre crop, the two source pixels it lies between and the share of the second.

    Pixel centres lie at half-integers (`align_corners=False`); the edge repeats outside the first and the last centre.
    """
    # Python rounds halves to even, and so does torchvision's own centre crop.
    offset = _half_to_even(n_resized - n_crop)
    centre = torch.arange(n_crop, device=device) + offset + 0.5
    at = (cast("Tensor", centre * (n_source / n_resized)) - 0.5).clamp(min=0)
    first = at.floor().long().clamp(max=n_source - 1)
    return first, (first + 1).clamp(max=n_source - 1), at - first


def _half_to_even(n: Size) -> Size:
    """Return n / 2 rounded half to even, in integer arithmetic so that it also holds for a symbolic size."""
    return n // 2 + (n % 4) // 3
