"""Preprocessing of a detector's images: equalise, smooth, normalise, and resize where the graph does it."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.clahe import MAX_PX, N_TILES, equalised
from weld_pipeline.nn.image.preprocess import ImagePreprocess


class MapPreprocess(nn.Module):
    """uint8 squares of `media.resize.resize_to_square` → normalised squares; the same in fitting, export and use.

    `prepare` computes in whole numbers, so every runtime gets the same pixels; see `nn.image.preprocess`.
    """

    def __init__(
        self,
        *,
        image_px: int,
        grey: bool,
        clahe_clip: float,
        smoothing: bool,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        """Build the preprocessing.

        Args:
            image_px: S, side of the square that an image or tile is resized to.
            grey: Whether colour is dropped first.
            clahe_clip: Clip limit of the equalisation, in multiples of an even histogram's bin; 0 for none.
            smoothing: Whether a 3×3 binomial filter (Gaussian, σ about 0.8 px) follows.
            mean: Mean of each RGB channel, on [0, 1].
            std: Standard deviation of each RGB channel, on [0, 1].

        Raises:
            WeldError: If the image is too small or too large for the equalisation.
        """
        super().__init__()
        if clahe_clip and not N_TILES <= image_px <= MAX_PX:
            raise WeldError(
                f"image.image_px {image_px}: CLAHE takes {N_TILES} to {MAX_PX} px; change it, or set image.clahe_clip to 0"
            )
        self._square = ImagePreprocess(resized_px=image_px, crop_px=image_px, grey=grey, mean=mean, std=std)
        self.image_px, self.clahe_clip, self.smoothing = image_px, clahe_clip, smoothing
        self.architecture: dict[str, Any] = {
            "image_px": image_px,
            "grey": grey,
            "clahe_clip": float(clahe_clip),
            "smoothing": smoothing,
            "mean": [float(value) for value in mean],
            "std": [float(value) for value in std],
        }

    @property
    def n_channels(self) -> int:
        """Return C of a prepared image."""
        return self._square.n_channels

    @property
    def grey(self) -> bool:
        """Return whether colour is dropped first."""
        return self._square.grey

    def forward(self, squares: UInt8[Tensor, "N S S C"]) -> Float[Tensor, "N 3 S S"]:
        """Return squares prepared and normalised."""
        return self.normalise(self.prepare(squares))

    def resize(self, images: UInt8[Tensor, "N H W 3"]) -> UInt8[Tensor, "N S S C"]:
        """Return images resized to the square as a graph does it, with the pixels of `media.resize.resize_to_square`."""
        return self._square.resize(images)

    def prepare(self, pixels: UInt8[Tensor, "N S S C"]) -> UInt8[Tensor, "N S S C"]:
        """Return squares equalised and smoothed if so set."""
        if self.clahe_clip:
            pixels = equalised(pixels.float(), clip=self.clahe_clip).to(torch.uint8)
        return smoothed(pixels.float()).to(torch.uint8) if self.smoothing else pixels

    def normalise(self, prepared: UInt8[Tensor, "N S S C"]) -> Float[Tensor, "N 3 S S"]:
        """Return prepared images on [0, 1], standardised by mean and standard deviation; grey fills all three channels."""
        return self._square.normalise(prepared).expand(-1, 3, -1, -1)


def smoothed(pixels: Float[Tensor, "N H W C"]) -> Float[Tensor, "N H W C"]:
    """Return images under the filter [1 2 1] × [1 2 1] / 16, as whole pixel values, mirrored at the border.

    Sums stay below 2¹², so they are exact. OpenCV's GaussianBlur of 3×3 px gives the same pixels.
    """
    down = _weighed(pixels, dim=1)
    return torch.floor((_weighed(down, dim=2) + 8.0) / 16.0)


def _weighed(pixels: Float[Tensor, "N H W C"], *, dim: int) -> Float[Tensor, "N H W C"]:
    n = pixels.shape[dim]
    inner, outer = pixels.narrow(dim, 1, 1), pixels.narrow(dim, n - 2, 1)
    before = torch.cat([inner, pixels.narrow(dim, 0, n - 1)], dim=dim)
    after = torch.cat([pixels.narrow(dim, 1, n - 1), outer], dim=dim)
    return before + 2.0 * pixels + after
