"""Augmentation: random changes to a batch of cached images while training.

Crop, stretch, flip and rotation are one affine sampling of the batch, so all of them cost what one costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.image.preprocess import resized

_MAX_VALUE = 255.0


@dataclass(frozen=True)
class Augmentation:
    """What may happen to an image.

    Attributes:
        min_area: Smallest share of the image a crop keeps; 1 keeps it whole.
        max_stretch: Largest factor of one side's length against the other's; 1 keeps the aspect.
        flip_horizontal: Probability of a left-right flip.
        flip_vertical: Probability of an upside-down flip.
        rotation_deg: Largest angle to either side [°].
        brightness: Largest relative change of the pixel values.
        contrast: Largest relative change of the distance from the image's own mean.
        erasing: Probability that a rectangle of a twentieth to a fifth of the area is set to the image's mean.
    """

    min_area: float
    max_stretch: float
    flip_horizontal: float
    flip_vertical: float
    rotation_deg: float
    brightness: float
    contrast: float
    erasing: float


def augmented(
    images: UInt8[Tensor, "B R R C"],
    how: Augmentation,
    *,
    crop_px: int,
    out_px: int,
    generator: np.random.Generator,
) -> Float[Tensor, "B h h C"]:
    """Return randomly changed crops, pixel values in 0 to 255, not rounded.

    An image that nothing happens to is its centre crop.

    Args:
        crop_px: Side of a view on the cached image; the area of a crop is a share of this view's.
        out_px: Side of the crops that come back; smaller than `crop_px` early in a progressive training.
    """
    if out_px != crop_px:  # resize with antialias first, as the graph does: sampling alone would alias
        smaller_px = round(images.shape[1] * out_px / crop_px)
        pixels = resized(images.float(), smaller_px)
    else:
        pixels = images.float()
    matrices = torch.from_numpy(_matrices(len(images), how, out_px / pixels.shape[1], generator)).to(pixels.device)
    grid = functional.affine_grid(matrices, [len(pixels), pixels.shape[3], out_px, out_px], align_corners=False)
    source = rearrange(pixels, "b h w c -> b c h w")
    crops = functional.grid_sample(source, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    crops = _recoloured(crops, how, generator)
    crops = _erased(crops, how.erasing, generator)
    return rearrange(crops, "b c h w -> b h w c")


def _matrices(n: int, how: Augmentation, view: float, generator: np.random.Generator) -> Float[np.ndarray, "B 2 3"]:
    """Return the affine matrix of each image's crop, on [-1, 1]²; `view` is the centre crop's share of a side."""
    side = view * np.sqrt(generator.uniform(how.min_area, 1, n))
    stretch = np.exp(generator.uniform(-1, 1, n) * math.log(how.max_stretch) / 2)
    # A whole crop is the centre view; only what is cut away from it gives room to move.
    half = np.clip(np.stack([side * stretch, side / stretch], axis=1), 0, 1)  # [B, (x, y)]
    room = np.where(np.isclose(how.min_area, 1), 0.0, 1 - half)
    centre = generator.uniform(-1, 1, (n, 2)) * room
    angle = np.radians(generator.uniform(-how.rotation_deg, how.rotation_deg, n))
    sign = np.where(generator.random((n, 2)) < [how.flip_horizontal, how.flip_vertical], -1.0, 1.0)
    cos, sin = np.cos(angle), np.sin(angle)
    columns = sign * half
    rows = [
        np.stack([cos * columns[:, 0], -sin * columns[:, 1], centre[:, 0]], axis=1),
        np.stack([sin * columns[:, 0], cos * columns[:, 1], centre[:, 1]], axis=1),
    ]
    return np.stack(rows, axis=1).astype(np.float32)


def _recoloured(
    crops: Float[Tensor, "B C h h"], how: Augmentation, generator: np.random.Generator
) -> Float[Tensor, "B C h h"]:
    n = len(crops)
    brightness = 1 + generator.uniform(-how.brightness, how.brightness, (n, 1, 1, 1)).astype(np.float32)
    contrast = 1 + generator.uniform(-how.contrast, how.contrast, (n, 1, 1, 1)).astype(np.float32)
    if not (how.brightness or how.contrast):
        return crops
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    factor, gain = (torch.from_numpy(values).to(crops.device) for values in (contrast, brightness))
    return (((crops - mean) * factor + mean) * gain).clamp(0, _MAX_VALUE)


def _erased(
    crops: Float[Tensor, "B C h h"], probability: float, generator: np.random.Generator
) -> Float[Tensor, "B C h h"]:
    n, px = len(crops), crops.shape[2]
    chosen = generator.random(n) < probability
    area, stretch = generator.uniform(0.05, 0.2, n), np.exp(generator.uniform(-1, 1, n) * math.log(3) / 2)
    corner = generator.random((n, 2))
    if not chosen.any():
        return crops
    crops = crops.clone()
    for index in np.flatnonzero(chosen):
        height, width = (
            max(1, min(px, round(px * math.sqrt(area[index]) * s))) for s in (stretch[index], 1 / stretch[index])
        )
        top, left = int(corner[index, 0] * (px - height + 1)), int(corner[index, 1] * (px - width + 1))
        crops[index, :, top : top + height, left : left + width] = crops[index].mean()
    return crops


@dataclass(frozen=True)
class Mixing:
    """How images of a batch are mixed with one another.

    Attributes:
        mixup_alpha: Parameter of the Beta distribution that MixUp draws its share from; 0 for no MixUp.
        cutmix_alpha: The same for CutMix. Where both are above 0, one of the two is drawn for each batch.
        probability: Share of batches that are mixed.
    """

    mixup_alpha: float
    cutmix_alpha: float
    probability: float


@dataclass(frozen=True)
class Mixed:
    """Images with two classes each: a loss is share · L(first) + (1 - share) · L(second).

    There are two hard targets and not one soft target, because a margin needs a class. For the softmax both are the same.

    Attributes:
        first: Class index of each.
        second: Class index of the image that was mixed into it.
        share: Share of the first, the same for the whole batch.
    """

    images: Float[Tensor, "B C h w"]
    first: Int[Tensor, " B"]
    second: Int[Tensor, " B"]
    share: float


def mixed(
    images: Float[Tensor, "B C h w"], target: Int[Tensor, " B"], how: Mixing, generator: np.random.Generator
) -> Mixed:
    """Return a batch mixed by MixUp (Zhang et al. 2018, section 2) or CutMix (Yun et al. 2019, section 3.1), or as it was."""
    alphas = {"mixup": how.mixup_alpha, "cutmix": how.cutmix_alpha}
    kinds = [kind for kind, alpha in alphas.items() if alpha > 0]
    if not kinds or generator.random() >= how.probability:
        return Mixed(images, target, target, 1.0)
    kind = kinds[int(generator.integers(len(kinds)))]
    share = float(generator.beta(alphas[kind], alphas[kind]))
    order = torch.from_numpy(generator.permutation(len(target))).to(target.device)
    if kind == "mixup":
        return Mixed(images * share + images[order] * (1 - share), target, target[order], share)
    return _cut_and_pasted(images, target, order, share, generator)


def _cut_and_pasted(
    images: Float[Tensor, "B C h w"],
    target: Int[Tensor, " B"],
    order: Int[Tensor, " B"],
    share: float,
    generator: np.random.Generator,
) -> Mixed:
    height, width = images.shape[2:]
    cut = math.sqrt(1 - share)
    middle = generator.random(2) * (height, width)
    top, bottom = (int(np.clip(middle[0] + s * cut * height / 2, 0, height)) for s in (-1, 1))
    left, right = (int(np.clip(middle[1] + s * cut * width / 2, 0, width)) for s in (-1, 1))
    pasted = images.clone()
    pasted[:, :, top:bottom, left:right] = images[order, :, top:bottom, left:right]
    # The border cuts the rectangle off, so the share is computed from what was pasted.
    kept = 1 - (bottom - top) * (right - left) / (height * width)
    return Mixed(pasted, target, target[order], kept)


def px_of_epoch(stages: Sequence[tuple[int, float]], *, epoch: int, max_epochs: int, crop_px: int) -> int:
    """Return the side of the images in an epoch of a progressive training.

    Args:
        stages: (side [px], share of the epochs), in order, sides ascending to `crop_px`; none: always `crop_px`.
        epoch: Counted from 0.
        crop_px: Side of the crops in use; training must end with it.

    Raises:
        WeldError: If the stages do not end at `crop_px`, or their shares do not add up to 1.

    >>> [px_of_epoch([(256, 0.5), (448, 0.5)], epoch=e, max_epochs=4, crop_px=448) for e in range(4)]
    [256, 256, 448, 448]
    """
    if not stages:
        return crop_px
    total = sum(share for _, share in stages)
    if stages[-1][0] != crop_px or not math.isclose(total, 1):
        raise WeldError(
            f"training.progressive ends at {stages[-1][0]} px with shares that add up to {total:g}; it must end at image.crop_px = {crop_px} and add up to 1"
        )
    done = 0.0
    for px, share in stages:
        done += share
        if epoch + 0.5 < done * max_epochs:
            return px
    return crop_px
