"""Anomaly maps of the image's size from patch scores: upsampling and Gaussian smoothing."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.core.errors import WeldError

# Standard deviations to either side at which the kernel ends, as in scipy.ndimage.gaussian_filter.
_TRUNCATE = 4.0


def upsampled(map: Float[Tensor, "B h w"], px: int) -> Float[Tensor, "B S S"]:  # noqa: A002 - what it is
    """Return maps resized bilinearly to a square; pixel centres stay where they are (Roth et al. 2022, §3.3).

    Nearest-neighbour upsampling would leave the patches' edges in the map.
    """
    return functional.interpolate(map[:, None], size=(px, px), mode="bilinear", align_corners=False)[:, 0]


class GaussianSmoothing(nn.Module):
    """A Gaussian filter of maps, along rows and then along columns; the border mirrors the map."""

    def __init__(self, sigma_px: float) -> None:
        """Sample the kernel.

        Args:
            sigma_px: Standard deviation [pixels of the map]; 0 leaves maps as they are.

        Raises:
            WeldError: If it is negative.
        """
        super().__init__()
        if sigma_px < 0:
            raise WeldError(f"map smoothing of {sigma_px} px: it cannot be negative; set map_sigma_px to 0 or more")
        self.kernel: Tensor
        reach = int(_TRUNCATE * sigma_px + 0.5)
        along = torch.arange(-reach, reach + 1, dtype=torch.float64)
        weights = torch.exp(-0.5 * (along / (sigma_px or 1.0)) ** 2)
        self.register_buffer("kernel", (weights / weights.sum()).float(), persistent=False)

    def forward(self, maps: Float[Tensor, "B S S"]) -> Float[Tensor, "B S S"]:
        """Return the maps smoothed.

        Raises:
            WeldError: If a map is smaller than half the kernel, so that its border cannot be mirrored.
        """
        reach = len(self.kernel) // 2
        if reach == 0:
            return maps
        if maps.shape[2] <= reach:
            raise WeldError(
                f"maps of {maps.shape[2]} px: too small to smooth over ±{reach} px; set map_sigma_px lower, or image.image_px higher"
            )
        padded = functional.pad(maps[:, None], (reach, reach, reach, reach), mode="reflect")
        across = functional.conv2d(padded, self.kernel.view(1, 1, 1, -1))
        return functional.conv2d(across, self.kernel.view(1, 1, -1, 1))[:, 0]
