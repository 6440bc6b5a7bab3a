"""Whether a student has learnt what it should and no more, seen on valid good images alone."""

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

# What float32 makes of a map that is flat; maps of good images are about 0 to 0.1.
_FLAT = 1e-6


@dataclass
class _Seen:
    """What was measured, a few numbers an image."""

    image_auroc: list[float] = field(default_factory=list)
    pixel_auroc: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
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
    """Return what a look at valid says of a student, as JSON values.

    A student can fail in two ways that the training loss does not tell apart: it learns nothing and differs from its
    teacher everywhere, or it learns to imitate the teacher on everything and differs nowhere. Either way it differs no
    more where a blemish was put on a good image than elsewhere, which is measured on its own map, without the
    autoencoder's.

    Args:
        network: Trained, with its quantiles.
        valid: Good images it did not learn.
        preprocess: How they were prepared.
        seed: Of the blemishes.
        n_blemishes: Blemished copies of each image.
        max_images: Images looked at, spread evenly over valid.
        min_auroc: Below which it counts as collapsed.

    Returns:
        `image_auroc` of blemished copies against their own clean image by the mean of the student's map, `pixel_auroc` of
        changed against other pixels (both means over images), `error_over_variance` of the student against the
        teacher's output (1 is what the mean alone would reach), `map_spread` (mean standard deviation of the final map),
        numbers of images, `is_collapsed` and `reasons`. A value that is no number is null.

    Raises:
        WeldError: If there is no good image.
    """
    if n_blemishes < 1 or max_images < 1:
        raise WeldError(
            f"collapse check: {n_blemishes} blemishes on {max_images} images show nothing; set both to 1 or more"
        )
    network = network.eval()
    seen = _Seen()
    chosen = np.unique(np.linspace(0, len(valid) - 1, min(max_images, len(valid))).round().astype(int))
    for index in chosen.tolist():
        generator = np.random.default_rng([seed, index])
        marred, masks = zip(*(blemished(valid[index], generator) for _ in range(n_blemishes)), strict=True)
        _look(seen, network, preprocess.normalise(torch.from_numpy(np.stack([valid[index], *marred]))), masks)
    found = {
        "image_auroc": float(np.mean(seen.image_auroc)),
        "pixel_auroc": float(np.mean(seen.pixel_auroc)),
        "error_over_variance": _error_over_variance(seen),
        "map_spread": float(np.mean(seen.spread)),
    }
    reasons = _reasons(found, min_auroc)
    values = {name: value if np.isfinite(value) else None for name, value in found.items()}
    counts = {"n_images": len(seen.image_auroc), "n_blemished": len(seen.pixel_auroc)}
    return values | counts | {"is_collapsed": bool(reasons), "reasons": reasons}


@torch.inference_mode()
def _look(
    seen: _Seen,
    network: StudentTeacher,
    images: Float[Tensor, "B 3 S S"],
    masks: Sequence[Bool[np.ndarray, "S S"]],
) -> None:
    """Measure one image, which comes first, and its blemished copies."""
    local, overall = network.raw_maps(images)
    # Each against its own clean image, and by the mean: the highest value of a good image is that of its hardest spot,
    # which differs from image to image and stays where it is when a blemish comes.
    means = local.mean(dim=(1, 2)).numpy()
    seen.image_auroc.append(_auroc(means[:1], means[1:]))
    seen.pixel_auroc.extend(
        _auroc(values[~mask], values[mask]) for values, mask in zip(local[1:].numpy(), masks, strict=True)
    )
    seen.spread.append(float(network.combined(local, overall)[0].std()))
    _compare(seen, network.targets(images[:1]), network.student(images[:1])[0])


def _compare(seen: _Seen, targets: Float[Tensor, "1 C h w"], imitated: Float[Tensor, "1 C h w"]) -> None:
    seen.error.append(float((targets - imitated).square().mean()))
    moments = [targets.mean(dim=(0, 2, 3)), targets.square().mean(dim=(0, 2, 3))]
    seen.moments.append(torch.stack(moments).double().numpy())


def _error_over_variance(seen: _Seen) -> float:
    mean, of_squares = np.mean(seen.moments, axis=0)
    variance = float((of_squares - mean**2).mean())
    return float(np.mean(seen.error)) / variance if variance > 0 else np.nan


def _auroc(clean: Float[np.ndarray, " n"], marred: Float[np.ndarray, " m"]) -> float:
    values = np.concatenate([clean, marred])
    if not np.isfinite(values).all():
        return np.nan
    return float(roc_auc_score(np.arange(len(values)) >= len(clean), values))


def _reasons(found: dict[str, float], min_auroc: float) -> list[str]:
    """Return a sentence for each thing that is not as it should be; comparisons are false for what is no number."""
    said = []
    for name, what in (("image_auroc", "images"), ("pixel_auroc", "pixels")):
        if not found[name] >= min_auroc:
            said.append(
                f"{name} is {found[name]:.3f}: blemished {what} differ from good ones no more than by chance ({min_auroc} is "
                "asked for); train longer, or take another teacher"
            )
    if not found["error_over_variance"] < 1:
        said.append(
            f"error_over_variance is {found['error_over_variance']:.3f}: the student says no more of its teacher than the "
            "teacher's mean; raise student.training.n_steps, or look at the teacher's weights"
        )
    if not found["map_spread"] > _FLAT:
        said.append(
            f"map_spread is {found['map_spread']:.3g}: the map of a good image is flat or no number; "
            "lower student.training.learning_rate, or look at the images"
        )
    return said
