"""Pixel metrics of anomaly maps against masks, in one pass and in memory that does not grow with the images.

Three histograms count the good pixels, the defective pixels and the shares of defective regions of each score, and every
number here follows from them. A bin is at most 1/32,768 of its scores wide; scores in one bin count as equal.

References:
    [1] P. Bergmann et al., "The MVTec anomaly detection dataset", IJCV 2021, section 5.2; the regions of its evaluation
        code are 8-connected. AUPRO ends at a false-positive rate of 0.3 there.
    [2] L. Heckler-Kram et al., "The MVTec AD 2 dataset", 2025, section 5: AUPRO ends at 0.05.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.anomaly.image_metrics import average_precision, f1_max
from weld_pipeline.evaluation.anomaly.score_histogram import ScoreHistogram, bins_of, scores_of
from weld_pipeline.evaluation.metrics import auroc

NUMBERS = ("pixel_auroc", "aupro", "pixel_ap", "pixel_f1_max", "pixel_f1_max_threshold")
MAX_FPR = 0.3
_MAX_FPR_OF_LAYOUT = {"mvtec_ad2": 0.05}
_EIGHT_CONNECTED = np.ones((3, 3), dtype=int)


@dataclass(frozen=True)
class PixelSample:
    """Map and mask of one image.

    Attributes:
        anomaly_map: Anomaly map at the mask's size; higher is worse.
        mask: True where the defect is; None where there is no mask.
    """

    sample_id: str
    is_defect: bool
    anomaly_map: Float[np.ndarray, "H W"]
    mask: Bool[np.ndarray, "h w"] | None


@dataclass(frozen=True)
class PixelMetrics:
    """Metrics of anomaly maps; where one of the five numbers is undefined, all are None.

    They have no interval: the pixels of an image are not independent, and a histogram for each session would take too much
    memory.

    Attributes:
        pixel_auroc: Probability that a defective pixel scores above a good one; a tie counts half.
        aupro: Area under the per-region overlap over the false-positive rate up to `max_fpr`, divided by `max_fpr` [1].
        pixel_f1_max: Best F1 of any threshold; chosen on the judged pixels, so it is an upper bound.
        n_good: Number of good images among them; all their pixels count as good.
        n_without_mask: Number of defective images left out because they have no mask.
        n_empty_mask: Number of defective images left out because their mask marks nothing.
        n_regions: Number of defective regions, 8-connected.
        reason: Reason why the numbers are undefined, or None.
    """

    pixel_auroc: float | None
    aupro: float | None
    pixel_ap: float | None
    pixel_f1_max: float | None
    pixel_f1_max_threshold: float | None
    max_fpr: float
    n_images: int
    n_good: int
    n_without_mask: int
    n_empty_mask: int
    n_regions: int
    n_good_pixels: int
    n_defect_pixels: int
    reason: str | None


def usual_max_fpr(layouts: Iterable[str]) -> float:
    """Return the false-positive rate at which AUPRO ends in the benchmark of a layout [1, 2].

    Args:
        layouts: Layout of each image, as the manifest names its source.
    """
    return min((_MAX_FPR_OF_LAYOUT.get(layout, MAX_FPR) for layout in layouts), default=MAX_FPR)


def pixel_metrics(samples: Iterable[PixelSample], *, max_fpr: float = MAX_FPR) -> PixelMetrics:
    """Return the metrics of anomaly maps by pixel and by region.

    Args:
        samples: Maps and masks, one image at a time. A good image needs no mask. A defective image without a mask, or with
            an empty one, is left out and counted.
        max_fpr: Largest false-positive rate of the area under the per-region overlap, in (0, 1].

    Raises:
        WeldError: If a map is not finite or not of its mask's size, or a good image's mask marks a defect.
    """
    counts = _Counts()
    for sample in samples:
        counts.add(sample)
    return counts.metrics(max_fpr=max_fpr)


def area_under_pro(good: Int[np.ndarray, " V"], regions: Float[np.ndarray, " V"], *, max_fpr: float) -> float:
    """Return the area under per-region overlap over the false-positive rate up to `max_fpr`, divided by it [1].

    The curve is straight between two thresholds.

    Args:
        good: Number of good pixels of each score, lowest score first.
        regions: Defective pixels of each score, each counted as one over the size of its region.
        max_fpr: Largest false-positive rate, in (0, 1].
    """
    fpr = np.r_[0, np.cumsum(good[::-1]) / good.sum()]
    overlap = np.r_[0, np.cumsum(regions[::-1]) / regions.sum()]
    end = int(np.searchsorted(fpr, max_fpr))  # the first threshold that reaches it
    at_end = np.interp(max_fpr, fpr[end - 1 : end + 1], overlap[end - 1 : end + 1])
    return float(np.trapezoid(np.r_[overlap[:end], at_end], np.r_[fpr[:end], max_fpr]) / max_fpr)


class _Counts:
    """Histograms and counts of the images so far."""

    def __init__(self) -> None:
        self._good, self._bad = ScoreHistogram(np.int64), ScoreHistogram(np.int64)
        self._shares = ScoreHistogram(np.float64)  # of defective regions: each adds up to one
        self._n = dict.fromkeys(("n_images", "n_good", "n_without_mask", "n_empty_mask", "n_regions"), 0)

    def add(self, sample: PixelSample) -> None:
        mask = _checked_mask(sample)
        if sample.is_defect and (mask is None or not mask.any()):
            self._n["n_without_mask" if mask is None else "n_empty_mask"] += 1
            return
        bins = bins_of(sample.anomaly_map)
        self._n["n_images"] += 1
        self._n["n_good"] += not sample.is_defect
        if mask is None:
            self._good.add(bins.ravel())
            return
        shares, n_regions = _region_shares(mask)
        self._good.add(bins[~mask])
        self._bad.add(bins[mask])
        self._shares.add(bins[mask], shares)
        self._n["n_regions"] += n_regions

    def metrics(self, *, max_fpr: float) -> PixelMetrics:
        used = np.flatnonzero((self._good.weight > 0) | (self._bad.weight > 0))
        good, bad = self._good.weight[used], self._bad.weight[used]
        numbers: dict[str, Any] = dict.fromkeys(NUMBERS)
        reason = self._reason(has_good=bool(good.any()), has_bad=bool(bad.any()))
        if reason is None:
            numbers |= _numbers(used, good, bad)
            numbers["aupro"] = area_under_pro(good, self._shares.weight[used], max_fpr=max_fpr)
        return PixelMetrics(
            **numbers,
            **self._n,
            max_fpr=max_fpr,
            n_good_pixels=int(good.sum()),
            n_defect_pixels=int(bad.sum()),
            reason=reason,
        )

    def _reason(self, *, has_good: bool, has_bad: bool) -> str | None:
        if has_good and has_bad:
            return None
        without, empty = self._n["n_without_mask"], self._n["n_empty_mask"]
        missing = "good" if has_bad else "defective"
        return (
            f"no {missing} pixel is known ({without} defective images have no mask, {empty} an empty one): numbers that "
            "need both kinds of pixels are undefined"
        )


def _checked_mask(sample: PixelSample) -> Bool[np.ndarray, "H W"] | None:
    """Return the mask if it agrees with the image's map and label."""
    anomaly_map, mask = sample.anomaly_map, sample.mask
    if n_bad := int((~np.isfinite(anomaly_map)).sum()):
        raise WeldError(
            f"anomaly map of {sample.sample_id}: {n_bad} of {anomaly_map.size} pixels are not finite; fit the detector "
            "again and look at its features"
        )
    if mask is None:
        return None
    if mask.shape != anomaly_map.shape:
        sizes = " and ".join(f"{shape[1]}×{shape[0]} px" for shape in (anomaly_map.shape, mask.shape))
        raise WeldError(f"anomaly map and mask of {sample.sample_id} are of {sizes}; resize the map to the mask")
    if mask.any() and not sample.is_defect:
        marked = int(mask.sum())
        raise WeldError(f"mask of {sample.sample_id}: marks {marked} pixels of an image labelled good; mend either")
    return mask


def _region_shares(mask: Bool[np.ndarray, "H W"]) -> tuple[Float[np.ndarray, " N"], int]:
    """Return for each marked pixel one over the size of its region, and the number of regions."""
    region_of, n_regions = ndimage.label(mask, structure=_EIGHT_CONNECTED)  # type: ignore[attr-defined]  # made at run time
    of_pixel = region_of[mask]
    return 1 / np.bincount(of_pixel)[of_pixel], int(n_regions)


def _numbers(bins: Int[np.ndarray, " V"], good: Int[np.ndarray, " V"], bad: Int[np.ndarray, " V"]) -> dict[str, float]:
    """Return the numbers that need only counts of pixels."""
    scores = np.r_[bins, bins]
    is_defect = np.r_[np.ones(len(bins), dtype=bool), np.zeros(len(bins), dtype=bool)]
    weights = np.r_[bad, good].astype(float)[None]
    best, at_bin = f1_max(scores, is_defect, weights)
    return {
        "pixel_auroc": float(auroc(scores.astype(float), is_defect, weights)[0]),
        "pixel_ap": float(average_precision(scores, is_defect, weights)[0]),
        "pixel_f1_max": float(best[0]),
        "pixel_f1_max_threshold": float(scores_of(at_bin)[0]),
    }
