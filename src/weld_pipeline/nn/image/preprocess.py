"""Preprocessing of an image classifier's images: crop at views, scale, normalise, and resize where the graph does it."""

from collections.abc import Sequence
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

# Pillow's integer luma (ITU-R 601-2), 16 bits after the point; every product and sum stays below 2²⁴, exact in float32.
_LUMA = (19595.0, 38470.0, 7471.0)
_HALF, _ONE = 32768.0, 65536.0
# Steps of a weight's first 13 and last 9 bits.
_COARSE, _FINE = 8192, 512


class ImagePreprocess(nn.Module):
    """uint8 squares of `media.resize.resize_to_square` → normalised crops; the same in training, export and use."""

    def __init__(
        self, *, resized_px: int, crop_px: int, grey: bool, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        """Build the preprocessing.

        Args:
            resized_px: Side of the square that an image is resized to.
            crop_px: Side of a view, at most `resized_px`.
            grey: Whether colour is dropped first.
            mean: Mean of each RGB channel, on [0, 1].
            std: Standard deviation of each RGB channel, on [0, 1].
        """
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.resized_px, self.crop_px, self.grey = resized_px, crop_px, grey
        self.architecture: dict[str, Any] = {
            "resized_px": resized_px,
            "crop_px": crop_px,
            "grey": grey,
            "mean": [float(value) for value in mean],
            "std": [float(value) for value in std],
        }
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1), persistent=False)

    @property
    def n_channels(self) -> int:
        """Return C of a resized image."""
        return 1 if self.grey else 3

    def resize(self, images: UInt8[Tensor, "N H W 3"]) -> UInt8[Tensor, "N R R C"]:
        """Return images resized to the square as a graph does it, with the pixels of `media.resize.resize_to_square`."""
        return resized(luma(images) if self.grey else images.float(), self.resized_px).to(torch.uint8)

    def crop(self, resized: UInt8[Tensor, "N R R C"], views: Int[Tensor, "V 3"]) -> UInt8[Tensor, "N V S S C"]:
        """Return the crop at each view (top, left, is_mirrored), from `media.views.crop_views`."""
        along = torch.arange(self.crop_px, device=views.device)
        top, left, mirrored = (views[:, column, None] for column in range(3))
        rows = top + along  # [V, S]
        columns = left + torch.where(mirrored > 0, self.crop_px - 1 - along, along)
        places = rows[:, :, None] * self.resized_px + columns[:, None, :]  # [V, S, S]
        chosen = resized.flatten(1, 2).index_select(1, places.flatten())
        return chosen.reshape(resized.shape[0], -1, self.crop_px, self.crop_px, self.n_channels)

    def normalise(self, cropped: UInt8[Tensor, "M h w C"] | Float[Tensor, "M h w C"]) -> Float[Tensor, "M 3 h w"]:
        """Return crops on [0, 1], standardised by mean and standard deviation; grey fills all three channels."""
        images = rearrange(cropped, "m h w c -> m c h w").float() / 255
        return (images - self.mean) / self.std


def luma(images: UInt8[Tensor, "N H W 3"] | Float[Tensor, "N H W 3"]) -> Float[Tensor, "N H W 1"]:
    """Return Pillow's grey values of RGB images, exactly: (19595 R + 38470 G + 7471 B + 32768) >> 16."""
    red, green, blue = (images[..., channel].float() for channel in range(3))
    total = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2] + _HALF
    return torch.floor(total / _ONE)[..., None]


def resized(pixels: Float[Tensor, "N H W C"], px: int) -> Float[Tensor, "N r r C"]:
    """Return images resized to a square, with the pixels of `media.resize.resize_to_square`, as whole pixel values.

    It is that resize for a graph. Pillow's weights have 22 bits. Products with 13 of them and with the other 9 are summed
    apart, so that every sum stays below 2²⁴, which float32 holds exactly; every runtime gets the same pixels, in whatever
    order it adds. That holds up to sides of 64 times `px`.

    Args:
        pixels: Whole values in 0 to 255.
        px: Side of the square.
    """
    images = rearrange(pixels, "n h w c -> n c h w")
    coarse, fine = _weights(images.shape[3], px, pixels.device)
    across = _weighed(images @ coarse.T, images @ fine.T)
    coarse, fine = _weights(images.shape[2], px, pixels.device)
    down = _weighed(coarse @ across, fine @ across)
    return rearrange(down, "n c h w -> n h w c")


def _weighed(coarse: Tensor, fine: Tensor) -> Tensor:
    """Return pixel values from sums weighed in 2⁻¹³ and in 2⁻²², rounded half up as Pillow rounds."""
    return torch.floor((coarse + torch.floor(fine / _FINE) + _COARSE / 2) / _COARSE).clamp(max=255.0)


def _weights(
    n_source: int | torch.SymInt, n_resized: int, device: torch.device
) -> tuple[Float[Tensor, "r n"], Float[Tensor, "r n"]]:
    """Return the weight of each source pixel in each resized one: the first 13 bits of 22, and the other 9.

    Weights are a triangle around the resized pixel's centre. It is as wide as two resized pixels, or two source pixels if
    these are larger. Distances are counted in whole units of half a pixel of the other grid. The shares are divided out a
    few bits at a time, since some runtimes have whole numbers of 32 bits only.
    """
    centre: Any = (2 * torch.arange(n_resized, device=device) + 1) * n_source
    source: Any = (2 * torch.arange(n_source, device=device) + 1) * n_resized
    reach: Any = 2 * torch.sym_max(n_source, n_resized)
    rest = (reach - (centre[:, None] - source[None, :]).abs()).clamp(min=0)
    total = rest.sum(dim=1, keepdim=True)
    share = torch.zeros_like(rest)
    for n_bits in (8, 8, 7):  # 23, one more than are kept, to round by
        rest = rest * 2**n_bits
        digit = rest // total
        rest = rest - digit * total
        share = share * 2**n_bits + digit
    rounded = (share + 1) // 2
    return (rounded // _FINE).float(), (rounded % _FINE).float()
