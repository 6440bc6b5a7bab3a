"""Collapse check: whether a student can tell a blemish, measured on good images of valid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.metrics import roc_auc_score
from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_teacher.blemishes import blemished
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher

# Standard deviation of a flat map in float32; maps of good images are about 0 to 0.1.
_FLAT = 1e-6


@dataclass
class _Measured:
    """Running measurements, a few numbers an image."""

    image_auroc: list[float] = field(default_factory=list)
    pixel_auroc: list[float] = field(default_factory=list)
    map_std: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    moments: list[Float[np.ndarray, "2 C"]] = field(default_factory=list)


def check_student(
    network: StudentTeacher,
    valid: GoodTiles,
    *,
    preprocess: MapPreprocess,
    seed: int,
    n_blemishes: int = 4,
    max_images: int = 64,
    min_auroc: float = 0.6,
) -> dict[str, Any]:
    """Return the check of a student on valid, as JSON values.

    A student can fail in two ways that the training loss does not tell apart. It learns nothing and differs from its
    teacher everywhere, or it imitates the teacher on everything and differs nowhere. Either way a blemish on a good image
    makes no difference. The check measures this on the student's own map, without the autoencoder's.

    Args:
        network: Trained network, with its quantiles.
        valid: Good images it was not trained on.
        n_blemishes: Blemished copies of each image.
        max_images: Number of images used, evenly spaced over valid.
        min_auroc: AUROC below which the student counts as collapsed.

    Returns:
        `image_auroc`: blemished copies against their own clean image, by the mean of the student's map. `pixel_auroc`:
        changed against other pixels. Both are means over images. `error_over_variance`: squared error of the student over
        the variance of the teacher's output; the mean alone reaches 1. `map_std`: mean standard deviation of the final
        map. Then the numbers of images, `is_collapsed` and `reasons`. A value that is no number is null.

    Raises:
        WeldError: If there is no good image.
    """
    if n_blemishes < 1 or max_images < 1:
        raise WeldError(
            f"collapse check: {n_blemishes} blemishes on {max_images} images test nothing; set both to 1 or more"
        )
    network = network.eval()
    measured = _Measured()
    indices = np.unique(np.linspace(0, len(valid) - 1, min(max_images, len(valid))).round().astype(int))
    for index in indices.tolist():
        generator = np.random.default_rng([seed, index])
        marred, masks = zip(*(blemished(valid[index], generator) for _ in range(n_blemishes)), strict=True)
        _measure(measured, network, preprocess.normalise(torch.from_numpy(np.stack([valid[index], *marred]))), masks)
    found = {
        "image_auroc": float(np.mean(measured.image_auroc)),
        "pixel_auroc": float(np.mean(measured.pixel_auroc)),
        "error_over_variance": _error_over_variance(measured),
        "map_std": float(np.mean(measured.map_std)),
    }
    reasons = _reasons(found, min_auroc)
    values = {name: value if np.isfinite(value) else None for name, value in found.items()}
    counts = {"n_images": len(measured.image_auroc), "n_blemished": len(measured.pixel_auroc)}
    return values | counts | {"is_collapsed": bool(reasons), "reasons": reasons}


@torch.inference_mode()
def _measure(
    measured: _Measured,
    network: StudentTeacher,
    images: Float[Tensor, "B 3 S S"],
    masks: Sequence[Bool[np.ndarray, "S S"]],
) -> None:
    """Measure one image, which comes first, and its blemished copies."""
    local, overall = network.raw_maps(images)
    # The mean of a map is compared, and only with its own clean image. The highest value would be that of the hardest
    # spot, which differs from image to image and does not change with a blemish.
    means = local.mean(dim=(1, 2)).numpy()
    measured.image_auroc.append(_auroc(means[:1], means[1:]))
    measured.pixel_auroc.extend(
        _auroc(values[~mask], values[mask]) for values, mask in zip(local[1:].numpy(), masks, strict=True)
    )
    measured.map_std.append(float(network.combined(local, overall)[0].std()))
    _compare(measured, network.targets(images[:1]), network.student(images[:1])[0])


def _compare(measured: _Measured, targets: Float[Tensor, "1 C h w"], imitated: Float[Tensor, "1 C h w"]) -> None:
    measured.error.append(float((targets - imitated).square().mean()))
    moments = [targets.mean(dim=(0, 2, 3)), targets.square().mean(dim=(0, 2, 3))]
    measured.moments.append(torch.stack(moments).double().numpy())


def _error_over_variance(measured: _Measured) -> float:
    mean, of_squares = np.mean(measured.moments, axis=0)
    variance = float((of_squares - mean**2).mean())
    return float(np.mean(measured.error)) / variance if variance > 0 else np.nan


def _auroc(clean: Float[np.ndarray, " n"], marred: Float[np.ndarray, " m"]) -> float:
    values = np.concatenate([clean, marred])
    if not np.isfinite(values).all():
        return np.nan
    return float(roc_auc_score(np.arange(len(values)) >= len(clean), values))


def _reasons(values: dict[str, float], min_auroc: float) -> list[str]:
    """Return a sentence for each value out of its range; comparisons are false for NaN."""
    reasons = []
    for name, what in (("image_auroc", "images"), ("pixel_auroc", "pixels")):
        if not values[name] >= min_auroc:
            reasons.append(
                f"{name} is {values[name]:.3f}: blemished {what} differ from good ones no more than by chance ("
                f"min_auroc is {min_auroc}); train longer, or take another teacher"
            )
    if not values["error_over_variance"] < 1:
        reasons.append(
            f"error_over_variance is {values['error_over_variance']:.3f}: the student explains no more of its teacher than the "
            "teacher's mean does; raise student.training.n_steps, or look at the teacher's weights"
        )
    if not values["map_std"] > _FLAT:
        reasons.append(
            f"map_std is {values['map_std']:.3g}: the map of a good image is flat or no number; "
            "lower student.training.learning_rate, or look at the images"
        )
    return reasons
