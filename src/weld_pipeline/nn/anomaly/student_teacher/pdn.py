"""Networks of EfficientAD (Batzner, Heckler and König 2024, arXiv 2303.14535): patch description network, autoencoder."""

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.core.errors import WeldError

Size = Literal["small", "medium"]

# Side of a cell of the patch network's output [px], and margin that the output lacks without padding [cells].
CELL_PX = 4
MARGIN = 4
# At 64 px the autoencoder's last strided convolution still leaves 2 × 2 cells, and the patch network's output 8 × 8.
MIN_PX = 64
# Channels of the first convolution and of those after it (tables 6 and 7).
WIDTHS: dict[Size, tuple[int, int]] = {"small": (128, 256), "medium": (256, 512)}
_LATENT = 64
_DROPOUT = 0.2


def grid_side(image_px: int) -> int:
    """Return the side of the patch network's output without padding [cells].

    Output cell i sees 33 × 33 px around pixel 16 + 4 i, so the outermost four cells of a grid of 4 px are missing.

    Raises:
        WeldError: If the networks cannot take images of this size.

    >>> grid_side(256)
    56
    """
    if image_px < MIN_PX or image_px % CELL_PX:
        near = max(MIN_PX, round(image_px / 64) * 64)
        raise WeldError(
            f"image.image_px {image_px}: the student takes multiples of {CELL_PX} px from {MIN_PX} px on; set it to {near}"
        )
    return image_px // CELL_PX - 2 * MARGIN


class PatchNetwork(nn.Module):
    """A patch description network, PDN (tables 6 and 7 of the paper's appendix).

    The last convolution is kept in parts of C outputs, so that a student computes only the part that a loss needs. Two
    parts are the same function as one convolution of 2C outputs.
    """

    def __init__(self, *, size: Size, n_channels: int, n_parts: int, padding: bool) -> None:
        """Build the network.

        Args:
            n_channels: C of each part of the output.
            n_parts: Number of parts: 1 in a teacher, 2 in a student.
            padding: Whether the output covers the whole image, as in distillation, or only patches inside it.
        """
        super().__init__()
        self.body = (_small if size == "small" else _medium)(n_channels * n_parts, pad=int(padding))
        width, kernel = (WIDTHS["small"][1], 4) if size == "small" else (n_channels * n_parts, 1)
        self.parts = nn.ModuleList(nn.Conv2d(width, n_channels, kernel) for _ in range(n_parts))

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> list[Float[Tensor, "B C h w"]]:
        """Return each part of the output."""
        described = self.body(images)
        return [part(described) for part in self.parts]


def _small(n_outputs: int, *, pad: int) -> nn.Sequential:  # noqa: ARG001 - only the medium one's width depends on it
    first, width = WIDTHS["small"]
    return nn.Sequential(
        nn.Conv2d(3, first, 4, padding=3 * pad),
        nn.ReLU(inplace=True),
        nn.AvgPool2d(2, padding=pad),
        nn.Conv2d(first, width, 4, padding=3 * pad),
        nn.ReLU(inplace=True),
        nn.AvgPool2d(2, padding=pad),
        nn.Conv2d(width, width, 3, padding=pad),
        nn.ReLU(inplace=True),
    )


def _medium(n_outputs: int, *, pad: int) -> nn.Sequential:
    first, width = WIDTHS["medium"]
    return nn.Sequential(
        nn.Conv2d(3, first, 4, padding=3 * pad),
        nn.ReLU(inplace=True),
        nn.AvgPool2d(2, padding=pad),
        nn.Conv2d(first, width, 4, padding=3 * pad),
        nn.ReLU(inplace=True),
        nn.AvgPool2d(2, padding=pad),
        nn.Conv2d(width, width, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, padding=pad),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, n_outputs, 4),
        nn.ReLU(inplace=True),
    )


class Autoencoder(nn.Module):
    """Encodes an image in 64 numbers and predicts the teacher's output (table 5 of the appendix).

    At 256 px the layers are the paper's. At other sizes the last encoding convolution also spans the whole map, so that
    the bottleneck stays 64 numbers wide.
    """

    def __init__(self, *, image_px: int, n_channels: int) -> None:
        super().__init__()
        widths = (3, 32, 32, 64, 64, 64)
        strided = [layer for a, b in pairwise(widths) for layer in (nn.Conv2d(a, b, 4, 2, 1), nn.ReLU(inplace=True))]
        self.encoder = nn.Sequential(*strided, nn.Conv2d(64, _LATENT, image_px // 32))
        # Even and odd sides alternate, because a 4 × 4 convolution padded by 2 adds one.
        self._sides = [max(1, image_px // (64 >> k) - (k + 1) % 2) for k in range(5)] + [image_px // 2 - 1]
        self._last = grid_side(image_px)
        self.decoder = nn.ModuleList(nn.Conv2d(_LATENT, _LATENT, 4, padding=2) for _ in self._sides)
        self.dropout = nn.Dropout(_DROPOUT)
        self.smooth = nn.Conv2d(_LATENT, _LATENT, 3, padding=1)
        self.output = nn.Conv2d(_LATENT, n_channels, 3, padding=1)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C h w"]:
        """Return the predicted output of the teacher, normalised."""
        values = self.encoder(images)  # [B, 64, 1, 1]
        for side, convolution in zip(self._sides, self.decoder, strict=True):
            values = self.dropout(functional.relu(convolution(_resized(values, side))))
        return self.output(functional.relu(self.smooth(_resized(values, self._last))))


def _resized(maps: Float[Tensor, "B C h w"], side: int) -> Float[Tensor, "B C s s"]:
    return functional.interpolate(maps, size=(side, side), mode="bilinear", align_corners=False)


def pooling_matrix(n_in: int, n_out: int) -> Float[Tensor, "o i"]:
    """Return the matrix of adaptive average pooling over channels: output k is the mean of inputs ⌊k n/m⌋ to ⌈(k+1) n/m⌉.

    A matrix is one 1 × 1 convolution, which every runtime has.
    """
    pooled = functional.adaptive_avg_pool1d(torch.eye(n_in), n_out)  # [i, o]
    return pooled.T.contiguous()
