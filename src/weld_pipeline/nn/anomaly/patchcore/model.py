"""PatchCore: the distance of an image's patches from a memory bank of good patches.

Roth et al. 2022, "Towards Total Recall in Industrial Anomaly Detection"; section numbers are theirs.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.maps import GaussianSmoothing, upsampled
from weld_pipeline.nn.anomaly.patch_reader import at_rest, patch_reader
from weld_pipeline.nn.anomaly.patchcore.streaming_coreset import StreamingCoreset
from weld_pipeline.nn.anomaly.patches import pooled_patches
from weld_pipeline.nn.anomaly.trunk import MapTrunk
from weld_pipeline.nn.state import load_tensors, tensors_of

_ROWS = 1024  # rows of the bank compared with the bank at a time


class PatchCore(nn.Module):
    """A trunk and its memory bank.

    Attributes:
        fitted_on: `n_images` and `n_patches` that the bank was chosen from; empty before fitting.
    """

    def __init__(self, trunk: MapTrunk, *, n_bank: int, n_neighbours: int, map_sigma_px: float) -> None:
        """Join a trunk and an empty memory bank.

        Args:
            n_bank: M, patches in the bank.
            n_neighbours: b of equation 7; 1 for scores without re-weighting.
            map_sigma_px: Standard deviation of the Gaussian that smooths maps [px]; 4 in §4.1.
        """
        super().__init__()
        self.bank: Tensor
        self.centre: Tensor
        self.neighbours: Tensor
        self.architecture: dict[str, Any] = {
            "trunk": trunk.architecture,
            "n_bank": n_bank,
            "n_neighbours": n_neighbours,
            "map_sigma_px": map_sigma_px,
        }
        self.fitted_on: dict[str, int] = {}
        self.trunk, self.image_px = trunk, int(trunk.architecture["crop_px"])
        self.smoothing = GaussianSmoothing(map_sigma_px)
        dims = sum(trunk.channels)
        # Patches are kept as differences from their mean: large squares would lose digits in a difference.
        self.register_buffer("centre", torch.zeros(dims))
        self.register_buffer("bank", torch.zeros(n_bank, dims))
        self.register_buffer("neighbours", torch.zeros(n_bank, min(n_neighbours, n_bank), dtype=torch.int64))

    def fill_bank(self, patches: Float[Tensor, "M D"]) -> None:
        """Fill the memory bank."""
        self.centre.copy_(patches.mean(dim=0))
        self.bank.copy_(patches - self.centre)
        for first in range(0, len(patches), _ROWS):
            gaps = self._less_own_square(self.bank[first : first + _ROWS])
            gaps.diagonal(first).fill_(-torch.inf)  # itself first, also where others are equal
            self.neighbours[first : first + _ROWS] = gaps.topk(self.neighbours.shape[1], largest=False).indices

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B S S"]]:
        """Return score and anomaly map of normalised images."""
        height, width = self.trunk.sizes[0]
        patches = pooled_patches(self.trunk, images) - self.centre
        distances = self.distances(patches)
        patch_map = rearrange(distances, "b (h w) -> b h w", h=height, w=width)
        return self._score(patches, distances), self.smoothing(upsampled(patch_map, self.image_px))

    def distances(self, patches: Float[Tensor, "B P D"]) -> Float[Tensor, "B P"]:
        """Return the distance of each patch, less the centre, from the nearest patch of the bank (§3.3)."""
        nearest = self._less_own_square(patches).amin(dim=2)
        return (nearest + patches.square().sum(dim=2)).clamp(min=0).sqrt()

    def _less_own_square(self, patches: Float[Tensor, "*B D"]) -> Float[Tensor, "*B M"]:
        """Return ‖p - m‖² - ‖p‖² for all m in the bank."""
        return patches @ (-2 * self.bank.T) + self.bank.square().sum(dim=1)

    def _score(self, patches: Float[Tensor, "B P D"], distances: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
        """Return the distance of each image's worst patch, re-weighted by the neighbours of its match (equation 7).

        The match is the nearest patch in the bank. If the match is itself far from its neighbours, it is a rare good
        patch, and the weight is larger. Without neighbours there is no weight.
        """
        at = distances.argmax(dim=1)
        worst = patches.gather(1, at[:, None, None].expand(-1, 1, patches.shape[2]))[:, 0]  # [B, D]
        nearest = self._less_own_square(worst).argmin(dim=1)
        around = self.bank[self.neighbours[nearest]]  # [B, b, D], the nearest first
        gaps = (worst[:, None] - around).square().sum(dim=2).sqrt()
        if self.neighbours.shape[1] == 1:
            return gaps[:, 0]
        return gaps[:, 0] * (1 - gaps.softmax(dim=1)[:, 0])


def fit_patchcore(
    trunk: MapTrunk,
    batches: Iterable[Float[Tensor, "_ 3 S S"]],
    *,
    coreset_size: int,
    n_neighbours: int = 9,
    map_sigma_px: float = 4.0,
    budget_bytes: int,
    projected_dims: int,
    seed: int,
) -> PatchCore:
    """Return the detector fitted on some good images, in one pass and in bounded memory (§3.2).

    Args:
        batches: Batches of normalised good images.
        coreset_size: M, patches in the memory bank.
        n_neighbours: b of equation 7.
        map_sigma_px: Standard deviation of the Gaussian that smooths maps [px].
        budget_bytes: Memory for patches while fitting; see `StreamingCoreset`.
        projected_dims: Dimensions of the random projection that the coreset is chosen in; see `k_center_greedy`.

    Raises:
        WeldError: If there is no image, if there are fewer patches than M, or if a feature is not finite.
    """
    coreset = StreamingCoreset(size=coreset_size, budget_bytes=budget_bytes, projected=projected_dims, seed=seed)
    read, n_images = patch_reader(trunk, pooled_patches), 0
    for images in batches:
        patches = read(images)
        _check_finite(images, patches, n_images)
        coreset.add(rearrange(patches, "b p d -> (b p) d"))
        n_images += len(images)
    if not n_images:
        raise WeldError("patchcore: no good image to fit on; the train split must hold some")
    bank = coreset.finish().cpu()
    detector = PatchCore(at_rest(trunk), n_bank=len(bank), n_neighbours=n_neighbours, map_sigma_px=map_sigma_px)
    detector.fill_bank(bank)
    detector.fitted_on = {"n_images": n_images, "n_patches": coreset.n_patches}
    return detector.eval().requires_grad_(requires_grad=False)


def share_of_patches(trunk: MapTrunk, n_images: int, ratio: float) -> int:
    """Return this share, in (0, 1], of the number of patches of `n_images` images, rounded up."""
    height, width = trunk.sizes[0]
    return math.ceil(ratio * n_images * height * width)


def _check_finite(images: Float[Tensor, "B 3 S S"], patches: Float[Tensor, "B P D"], n_before: int) -> None:
    # A compiled trunk may lose a NaN on its way (ReLU6 is a minimum), so input and output are both checked.
    is_good = torch.isfinite(images.sum(dim=(1, 2, 3))) & torch.isfinite(patches.sum(dim=(1, 2))).cpu()
    if not is_good.all():
        number = n_before + int((~is_good).nonzero()[0, 0])
        raise WeldError(
            f"patchcore: good image {number}, counted from 0, or its features hold values that are not finite; look at that image"
        )


def save_patchcore(detector: PatchCore, provenance: Mapping[str, Any]) -> SavedModel:
    """Return the detector as a model file's content."""
    return SavedModel(
        "patchcore",
        detector.architecture,
        tensors_of(detector),
        training=dict(detector.fitted_on),
        provenance=dict(provenance),
    )


def restore_patchcore(model: SavedModel) -> PatchCore:
    """Return the detector a model file holds."""
    architecture = dict(model.architecture)
    detector = PatchCore(MapTrunk(**architecture.pop("trunk")), **architecture)
    load_tensors(detector, model.tensors)
    detector.fitted_on = dict(model.training)
    return detector.eval().requires_grad_(requires_grad=False)
