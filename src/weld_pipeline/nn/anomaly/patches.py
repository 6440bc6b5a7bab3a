"""Patch features: the maps of a trunk's layers joined at the finest size, one row for each position."""

from collections.abc import Callable, Sequence

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from weld_pipeline.nn.anomaly.trunk import MapTrunk

PatchFeatures = Callable[[MapTrunk, Float[Tensor, "B 3 S S"]], Float[Tensor, "B P D"]]


def pooled_patches(trunk: MapTrunk, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B P D"]:
    """Return the features of each patch of normalised images, averaged over its neighbours (Roth et al. 2022, §3.1).

    Each layer's map is averaged over 3×3 positions before the maps are joined. Positions beyond the border count as 0, as
    in anomalib.

    Args:
        trunk: Trunk that gives the maps; the size (h, w) of the first sets the number of patches, P = h w.
    """
    maps = [functional.avg_pool2d(each, 3, stride=1, padding=1) for each in trunk(images)]
    return rearrange(joined_maps(maps), "b d h w -> b (h w) d")


def unit_patches(trunk: MapTrunk, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B P D"]:
    """Return the features of single positions of normalised images, scaled to length √D: only direction counts."""
    patches = rearrange(joined_maps(trunk(images)), "b d h w -> b (h w) d")
    length = patches.square().mean(dim=2, keepdim=True).sqrt()
    return patches / length.clamp(min=torch.finfo(patches.dtype).tiny)


def joined_maps(maps: Sequence[Float[Tensor, "B _ _ _"]]) -> Float[Tensor, "B D h w"]:
    """Return maps joined along their channels, all resized bilinearly to the first map's size; D is the sum of the channels."""
    first, *others = maps
    size = first.shape[2:]
    resized = [functional.interpolate(each, size=size, mode="bilinear", align_corners=False) for each in others]
    return torch.cat([first, *resized], dim=1)
