"""Preprocessing of an image classifier's images: grey, resize, crop at views, scale, normalise."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

# Pillow's integer luma (ITU-R 601-2), 16 bits after the point; every product and sum stays below 2²⁴, exact in float32.
_LUMA = (19595.0, 38470.0, 7471.0)
_HALF, _ONE = 32768.0, 65536.0


class ImagePreprocess(nn.Module):
    """uint8 images of any size → normalised crops; the same in training, export and use."""

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

    def forward(self, images: UInt8[Tensor, "N H W 3"], views: Int[Tensor, "V 3"]) -> Float[Tensor, "NV 3 S S"]:
        """Return every view of every image, the views of one image together."""
        return self.normalise(self.crop(self.resize(images), views).flatten(0, 1))

    def resize(self, images: UInt8[Tensor, "N H W 3"]) -> UInt8[Tensor, "N R R C"]:
        """Return images resized to the square.

        The filter is Pillow's BILINEAR, a triangle with antialias; pixel values differ from Pillow's by 1 at most.
        """
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
    """Return images resized to a square, as whole pixel values, as Pillow's antialiased bilinear resizing gives them.

    Everything is computed in whole numbers below 2²⁴, which float32 holds exactly. So every runtime gets the same pixels,
    in whatever order it adds. Resizing in fractions would round some pixel differently in another runtime, and one step
    of one pixel value can move a probability by a thousandth.

    Args:
        pixels: Whole values in 0 to 255.
        px: Side of the square.
    """
    images = rearrange(pixels, "n h w c -> n c h w")
    height, width = images.shape[2], images.shape[3]
    across = _weighed(images @ _triangles(width, px, pixels.device).T)
    down = _weighed(_triangles(height, px, pixels.device) @ across)
    return rearrange(down, "n c h w -> n h w c")


def _weighed(sums: Tensor) -> Tensor:
    """Return sums of pixel values times 65536ths as pixel values, rounded half up as Pillow rounds."""
    return torch.floor((sums + _HALF) / _ONE).clamp(max=255.0)


def _triangles(n_source: int | torch.SymInt, n_resized: int, device: torch.device) -> Float[Tensor, "r n"]:
    """Return the weight of each source pixel in each resized one, in whole 65536ths.

    Weights are a triangle around the resized pixel's centre. It is as wide as two resized pixels, or two source pixels if
    these are larger. Distances are counted in whole units of half a pixel of the other grid; the one division rounds
    alike everywhere.
    """
    centre: Any = (2 * torch.arange(n_resized, device=device) + 1) * n_source
    source: Any = (2 * torch.arange(n_source, device=device) + 1) * n_resized
    reach: Any = 2 * torch.sym_max(n_source, n_resized)
    height = (reach - (centre[:, None] - source[None, :]).abs()).clamp(min=0)
    return torch.round(height.float() / height.sum(dim=1, keepdim=True).float() * _ONE)


def cached_image(image: UInt8[np.ndarray, "H W 3"], preprocess: ImagePreprocess) -> UInt8[np.ndarray, "R R C"]:
    """Return a decoded image at the size it is cached at, the size that the graph resizes to."""
    return np.ascontiguousarray(preprocess.resize(torch.from_numpy(image)[None])[0].numpy())
