"""Contrast-limited adaptive histogram equalisation (CLAHE) as tensor operations in whole numbers.

Zuiderveld 1994 (Graphics Gems IV), with the details of OpenCV's `createCLAHE`, whose pixel values it reproduces. An image
has 8×8 tiles. What is cut off a histogram is shared out over all bins, and each pixel value is interpolated between the
four tiles around it. The exported graph needs it and has no OpenCV. Whole numbers give every runtime the same pixels.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.nn.image.preprocess import luma

N_TILES = 8
# Beyond this side, weights times pixel values pass 2²⁴ and float32 holds them no longer: 255 · (2 · 1024 / 8)² < 2²⁴.
MAX_PX = 1024
_N_VALUES = 256


def equalised(pixels: Float[Tensor, "N S S C"], *, clip: float) -> Float[Tensor, "N S S C"]:
    """Return square images with equalised local contrast, as whole pixel values.

    The luma of a colour image is equalised. What it gained is added to every channel, so hues keep their differences.

    Args:
        pixels: Whole values in 0 to 255; C is 1 or 3, S at most `MAX_PX`.
        clip: Clip limit of a bin, in multiples of an even histogram's count.
    """
    if pixels.shape[-1] == 1:
        return _equalised(pixels[..., 0], clip)[..., None]
    grey = luma(pixels)[..., 0]
    gain = _equalised(grey, clip) - grey
    return (pixels + gain[..., None]).clamp(0.0, 255.0)


def _equalised(pixels: Float[Tensor, "N S S"], clip: float) -> Float[Tensor, "N S S"]:
    size = pixels.shape[-1]
    tile = -(-size // N_TILES)  # as OpenCV, which mirrors the image to a multiple of the tiles
    places = _mirrored(size, tile * N_TILES).to(pixels.device)
    padded = pixels.index_select(1, places).index_select(2, places)
    tables = _tables(rearrange(padded, "n (i a) (j b) -> n (i j) (a b)", i=N_TILES, j=N_TILES), clip)
    return _interpolated(pixels, tables, tile)


def _mirrored(size: int, padded: int) -> Tensor:
    along = torch.arange(padded)
    return torch.where(along < size, along, 2 * (size - 1) - along)


def _tables(tiles: Float[Tensor, "N T P"], clip: float) -> Float[Tensor, "N T 256"]:
    """Return what each pixel value becomes in each tile: the cumulated histogram, cut and refilled."""
    n, n_tiles, n_pixels = tiles.shape
    counts = torch.zeros(n, n_tiles, _N_VALUES, device=tiles.device)
    counts = counts.scatter_add(2, tiles.long(), torch.ones_like(tiles))
    limit = max(int(clip * n_pixels / _N_VALUES), 1)
    excess = (counts - limit).clamp(min=0).sum(dim=2, keepdim=True)
    share = torch.floor(excess / _N_VALUES)
    filled = counts.clamp(max=limit) + share + _evenly_shared(excess - share * _N_VALUES)
    # One product, rounded half to even, as OpenCV does it in float32.
    return torch.round(filled.cumsum(dim=2) * ((_N_VALUES - 1) / n_pixels)).clamp(0.0, 255.0)


def _evenly_shared(residual: Float[Tensor, "N T 1"]) -> Float[Tensor, "N T 256"]:
    """Return 1 for each bin that takes a share of what is left over, in even steps from the first."""
    bins = torch.arange(_N_VALUES, device=residual.device).float()
    step = torch.floor(_N_VALUES / residual.clamp(min=1.0))
    number = torch.floor(bins / step)
    return ((bins == number * step) & (number < residual)).float()


def _interpolated(
    pixels: Float[Tensor, "N S S"], tables: Float[Tensor, "N T 256"], tile: int
) -> Float[Tensor, "N S S"]:
    """Return each pixel value, weighed between the tiles whose centres surround it; at the border the nearest tile counts."""
    size = pixels.shape[-1]
    # Distances in halves of a pixel, so that they are whole: a tile is 2·tile of them wide.
    place = 2 * torch.arange(size, device=pixels.device) - tile
    first = torch.div(place, 2 * tile, rounding_mode="floor")
    weight = place - 2 * tile * first  # of the second
    ends = [(first.clamp(min=0), 2 * tile - weight), ((first + 1).clamp(max=N_TILES - 1), weight)]
    flat, value = tables.flatten(1), pixels.long()
    total = torch.zeros_like(pixels)
    for row, row_weight in ends:
        for column, column_weight in ends:
            at = (row[:, None] * N_TILES + column[None, :]) * _N_VALUES + value
            found = flat.gather(1, at.flatten(1)).reshape(pixels.shape)
            total = total + found * (row_weight[:, None] * column_weight[None, :]).float()
    return torch.round(total / float(4 * tile * tile))
