"""What both sides' scores and maps are judged by: exact, no thresholds binned."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label
from sklearn.metrics import roc_auc_score

_EIGHT = np.ones((3, 3))
_MAX_FPR = 0.3


def image_auroc(scores: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"]) -> float:
    """Return the area under the receiver's curve over images."""
    return float(roc_auc_score(is_defect, scores))


def pixel_auroc(maps: Float[np.ndarray, "N S S"], masks: Bool[np.ndarray, "N S S"]) -> float:
    """Return the area under the receiver's curve over all pixels of all images."""
    return float(roc_auc_score(masks.ravel(), maps.ravel()))


def aupro(maps: Float[np.ndarray, "N S S"], masks: Bool[np.ndarray, "N S S"]) -> float:
    """Return the area under the per-region overlap up to a false-positive rate of 0.3, divided by 0.3.

    As Bergmann et al. 2021, "The MVTec Anomaly Detection Dataset" (IJCV), §4.2: regions are the masks' 8-connected
    components, each of one weight whatever its size; false positives are counted over all unmarked pixels. Every
    distinct level of the maps is a threshold, and the curve is linear between them.
    """
    gain = np.zeros(masks.shape)  # what a pixel adds to the mean overlap when it is passed
    n_regions = 0
    for row, mask in enumerate(masks):
        regions, n = label(mask, _EIGHT)
        sizes = np.bincount(regions.ravel(), minlength=n + 1)
        gain[row] = np.where(mask, 1 / sizes[regions], 0)
        n_regions += n
    order = np.argsort(-maps, axis=None, kind="stable")
    levels = maps.ravel()[order]
    last = np.append(np.flatnonzero(np.diff(levels)), len(levels) - 1)  # of each run of equal levels
    overlap = np.cumsum(gain.ravel()[order])[last] / n_regions
    is_false = ~masks.ravel()[order]
    rate = np.cumsum(is_false)[last] / is_false.sum()
    rate, overlap = np.append(0, rate), np.append(0, overlap)
    at_limit = float(np.interp(_MAX_FPR, rate, overlap))
    kept = rate < _MAX_FPR
    area = np.trapezoid(np.append(overlap[kept], at_limit), np.append(rate[kept], _MAX_FPR))
    return float(area) / _MAX_FPR
