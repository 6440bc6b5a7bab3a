"""Reference detector: the distance of an image's features from the mean features of good images.

Nothing is trained, and any trunk will do. The image score is the mean distance of the worst hundredth of the patches, as
in AnomalyDINO (Damm et al. 2025, §3.2).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.maps import GaussianSmoothing, upsampled
from weld_pipeline.nn.anomaly.patch_reader import at_rest, patch_reader
from weld_pipeline.nn.anomaly.patches import unit_patches
from weld_pipeline.nn.anomaly.trunk import MapTrunk
from weld_pipeline.nn.state import load_tensors, tensors_of

# Share of an image's patches whose mean distance is its score.
_WORST_SHARE = 0.01


@dataclass(frozen=True)
class ReferenceOptions:
    """What the detector keeps of good images.

    Attributes:
        position: `aligned`: each position has its own mean, for parts that always lie alike. `free`: all positions share
            one mean.
        scale: Unit of distances. `none`: the features' own unit. `variance`: each dimension's standard deviation.
            `covariance`: Mahalanobis distance, for `free` only, since one position has too few samples for it.
        shrinkage: Share, 0 to 1, of the mean variance that is mixed into every variance; small sets need more.
        map_sigma_px: Standard deviation of the Gaussian that smooths the map [px].
    """

    position: Literal["aligned", "free"]
    scale: Literal["none", "variance", "covariance"]
    shrinkage: float
    map_sigma_px: float


class Reference(nn.Module):
    """Distances to the mean feature map of good images."""

    def __init__(self, trunk: MapTrunk, options: ReferenceOptions) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.architecture: dict[str, Any] = {"trunk": trunk.architecture, **asdict(options)}
        self.trunk, self.image_px = trunk, int(trunk.architecture["crop_px"])
        self.smoothing = GaussianSmoothing(options.map_sigma_px)
        (height, width), dims = trunk.sizes[0], sum(trunk.channels)
        n_positions = height * width if options.position == "aligned" else 1
        self.register_buffer("mean", torch.zeros(n_positions, dims))
        shape = (dims, dims) if options.scale == "covariance" else (n_positions, dims)
        self.register_buffer("scale", torch.ones(shape))

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B S S"]]:
        """Return score and anomaly map of normalised images."""
        height, width = self.trunk.sizes[0]
        distances = self.distances(unit_patches(self.trunk, images))
        n_worst = max(1, math.ceil(_WORST_SHARE * height * width))
        score = distances.topk(n_worst, dim=1).values.mean(dim=1)
        patch_map = rearrange(distances, "b (h w) -> b h w", h=height)
        return score, self.smoothing(upsampled(patch_map, self.image_px))

    def distances(self, patches: Float[Tensor, "B P D"]) -> Float[Tensor, "B P"]:
        """Return the distance of each patch from the mean, as root mean square over the dimensions."""
        off = patches - self.mean
        whitened = off @ self.scale if self.architecture["scale"] == "covariance" else off * self.scale
        return whitened.square().mean(dim=2).sqrt()


def fit_reference(
    trunk: MapTrunk, batches: Iterable[Float[Tensor, "_ 3 S S"]], options: ReferenceOptions
) -> tuple[Reference, int]:
    """Return the detector fitted on some good images, and the number of images.

    Means and variances are summed in float64 as the images come, so memory does not grow with their number.

    Args:
        batches: Batches of normalised good images.

    Raises:
        WeldError: If there is no image, if a feature is not finite, or if there are too few images for a variance.
    """
    if options.position == "aligned" and options.scale == "covariance":
        raise WeldError(
            "fit.scale covariance: a position has too few samples for it; set fit.position to free, or fit.scale to variance"
        )
    read = patch_reader(trunk, unit_patches)
    moments = _Moments(is_aligned=options.position == "aligned", with_products=options.scale == "covariance")
    for images in batches:
        moments.add(read(images).double())
    if not moments.n_images:
        raise WeldError("reference: no good image to fit on; the train split must hold some")
    if options.scale != "none" and moments.n_images < 2:  # noqa: PLR2004 - a variance needs two
        raise WeldError("reference: a variance needs two good images or more; set fit.scale to none")
    detector = Reference(at_rest(trunk), options)
    detector.mean.copy_(moments.mean)
    if options.scale != "none":
        detector.scale.copy_(moments.whitening(options.shrinkage))
    return detector.eval().requires_grad_(requires_grad=False), moments.n_images


class _Moments:
    """Running sums of features, and of their squares or products, about the mean of the first batch.

    Sums about a point near the data keep the difference of two large numbers out of the variance.
    """

    def __init__(self, *, is_aligned: bool, with_products: bool) -> None:
        self._pattern = "b p d -> p d" if is_aligned else "b p d -> 1 d"
        self._with_products = with_products
        self.n_images = 0

    def add(self, patches: Float[Tensor, "B P D"]) -> None:
        if not patches.isfinite().all():
            raise WeldError("reference: a feature of a good image is not finite; check the weights of the trunk")
        if not self.n_images:
            self._origin = reduce(patches, self._pattern, "mean")
            self._sum: Tensor = torch.zeros_like(self._origin)
            self._squares: Tensor = torch.zeros(())
            self._n = 0
        off = patches - self._origin
        flat = rearrange(off, "b p d -> (b p) d")
        self._sum = self._sum + reduce(off, self._pattern, "sum")
        self._squares = self._squares + (flat.T @ flat if self._with_products else reduce(off**2, self._pattern, "sum"))
        self._n += len(flat) // len(self._sum)
        self.n_images += len(patches)

    @property
    def mean(self) -> Float[Tensor, "_ D"]:
        """Return the mean of each position, or of all positions together."""
        return self._origin + self._sum / self._n

    def whitening(self, shrinkage: float) -> Float[Tensor, "_ D"]:
        """Return the factor of a difference from the mean: 1/σ, or the inverse root of the covariance.

        Raises:
            WeldError: If the features do not vary, so that there is no unit of distance.
        """
        shift = self._sum / self._n
        if self._with_products:
            covariance = self._squares / self._n - shift.T @ shift
            mean_variance = covariance.diagonal().mean()
            mixed = (1 - shrinkage) * covariance + shrinkage * mean_variance * torch.eye(
                len(covariance), device=covariance.device
            )
            values, vectors = torch.linalg.eigh(mixed.double())
            _check_variance(values.max())
            # A direction without variance would weigh infinitely; it counts as a millionth of the largest variance.
            return vectors @ torch.diag(values.clamp(min=values.max() * 1e-6).rsqrt()) @ vectors.T
        variance = (self._squares / self._n - shift**2).clamp(min=0)
        _check_variance(variance.mean())
        mixed = (1 - shrinkage) * variance + shrinkage * variance.mean()
        return mixed.clamp(min=float(variance.mean()) * 1e-6).rsqrt()


def _check_variance(variance: Tensor) -> None:
    if not float(variance) > 0:
        raise WeldError(
            "reference: the good images are all the same, so their features have no variance; set fit.scale to none, or give others"
        )


def save_reference(detector: Reference, provenance: Mapping[str, Any]) -> SavedModel:
    """Return the detector as a model file's content."""
    return SavedModel("reference", detector.architecture, tensors_of(detector), provenance=dict(provenance))


def restore_reference(model: SavedModel) -> Reference:
    """Return the detector a model file holds."""
    architecture = dict(model.architecture)
    trunk = MapTrunk(**architecture.pop("trunk"))
    detector = Reference(trunk, ReferenceOptions(**architecture))
    load_tensors(detector, model.tensors)
    return detector.eval().requires_grad_(requires_grad=False)
