"""Pixel metrics of anomaly maps: against scikit-learn and a per-region overlap counted threshold by threshold."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from sklearn import metrics as reference

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.anomaly.pixel_metrics import PixelSample, pixel_metrics, usual_max_fpr
from weld_pipeline.evaluation.anomaly.score_histogram import ScoreHistogram, bins_of, scores_of

CLOSE = 1e-4


def regions(mask):
    """Return each 8-connected region as a mask, grown from one pixel: no code in common with what is tested."""
    left, found = mask.copy(), []
    while left.any():
        grown = np.zeros_like(mask)
        grown[tuple(np.argwhere(left)[0])] = True
        while True:
            wide = np.pad(grown, 1)
            height, width = mask.shape
            near = [wide[y : y + height, x : x + width] for y in range(3) for x in range(3)]
            dilated = np.any(near, axis=0) & mask
            if (dilated == grown).all():
                break
            grown = dilated
        left &= ~grown
        found.append(grown)
    return found


def brute_force_aupro(maps, masks, *, max_fpr):
    """Return the area as its definition says: for every threshold, the mean overlap of regions over good pixels hit."""
    thresholds = np.unique(np.concatenate([each.ravel() for each in maps]))[::-1]
    parts = [(anomaly_map, region) for anomaly_map, mask in zip(maps, masks, strict=True) for region in regions(mask)]
    n_good = sum((~mask).sum() for mask in masks)
    curve = [(0.0, 0.0)]
    for threshold in thresholds:
        hits = sum(((each >= threshold) & ~mask).sum() for each, mask in zip(maps, masks, strict=True))
        curve.append((hits / n_good, np.mean([(each >= threshold)[region].mean() for each, region in parts])))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 >= max_fpr:
            break
        end = min(x1, max_fpr)
        y_end = y1 if x1 == end else y0 + (y1 - y0) * (end - x0) / (x1 - x0)
        area += (end - x0) * (y0 + y_end) / 2
    return area / max_fpr


def random_set(seed, *, n=4, offset=0.0, scale=1.0, decimals=None):
    rng = np.random.default_rng(seed)
    masks = [rng.random((13, 17)) > 0.88 if number else np.zeros((13, 17), bool) for number in range(n)]
    maps = [scale * (rng.normal(size=mask.shape) + 1.2 * mask) + offset for mask in masks]
    maps = [np.round(each, decimals) if decimals is not None else each for each in maps]
    return [each.astype(np.float32) for each in maps], masks


def judged(maps, masks, **kept):
    samples = (
        PixelSample(f"p{number}", bool(mask.any()), anomaly_map, mask)
        for number, (anomaly_map, mask) in enumerate(zip(maps, masks, strict=True))
    )
    return pixel_metrics(samples, **kept)


@pytest.mark.parametrize(
    "how", [{}, {"offset": 40.0}, {"offset": -3.0}, {"scale": 1e-6}, {"scale": 1e6}, {"decimals": 0}, {"decimals": 1}]
)
def test_metrics_agree_with_exact_references(how) -> None:
    """Scores around zero, far from it, negative, tiny, huge, and full of ties."""
    for seed in range(3):
        maps, masks = random_set(seed, **how)
        found = judged(maps, masks)
        truth = np.concatenate([mask.ravel() for mask in masks])
        scores = np.concatenate([each.ravel() for each in maps])
        assert found.pixel_auroc == pytest.approx(reference.roc_auc_score(truth, scores), abs=CLOSE)
        assert found.pixel_ap == pytest.approx(reference.average_precision_score(truth, scores), abs=1e-3)
        precision, recall, _ = reference.precision_recall_curve(truth, scores)
        f1 = (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max()
        assert found.pixel_f1_max == pytest.approx(f1, abs=1e-3)
        at_threshold = reference.f1_score(truth, scores >= found.pixel_f1_max_threshold)
        assert at_threshold == pytest.approx(found.pixel_f1_max, abs=1e-3)
        assert found.aupro == pytest.approx(brute_force_aupro(maps, masks, max_fpr=0.3), abs=CLOSE)


@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 1.0])
def test_area_ends_where_it_is_told_to(max_fpr) -> None:
    maps, masks = random_set(7)
    expected = brute_force_aupro(maps, masks, max_fpr=max_fpr)
    assert judged(maps, masks, max_fpr=max_fpr).aupro == pytest.approx(expected, abs=CLOSE)


def test_regions_count_alike_whatever_their_size_and_touch_at_corners() -> None:
    """Two regions: a 10×10 square found whole, and two pixels at a corner of each other, one region, missed.

    No good pixel is hit before the square is, and the small region lies below all: PRO is 1/2 up to FPR 1.
    """
    mask = np.zeros((20, 20), bool)
    mask[:10, :10] = mask[15, 15] = mask[16, 16] = True
    anomaly_map = np.where(mask, 9.0, 5.0).astype(np.float32)
    anomaly_map[15:17, 15:17][mask[15:17, 15:17]] = 1.0
    found = judged([anomaly_map], [mask])
    assert found.n_regions == 2
    assert found.aupro == pytest.approx(0.5)
    assert found.pixel_auroc == pytest.approx(100 / 102)


def test_perfect_map_scores_one_and_a_constant_one_says_nothing() -> None:
    _, masks = random_set(0)
    perfect = judged([mask.astype(np.float32) for mask in masks], masks)
    assert (perfect.pixel_auroc, perfect.aupro, perfect.pixel_ap, perfect.pixel_f1_max) == (1, 1, 1, 1)
    constant = judged([np.full(mask.shape, 2.0, np.float32) for mask in masks], masks)
    assert constant.pixel_auroc == pytest.approx(0.5)
    assert constant.aupro == pytest.approx(0.15)  # the straight line to (1, 1), up to 0.3: 0.3² / 2 / 0.3


def test_images_without_a_usable_mask_are_left_out_and_counted() -> None:
    maps, masks = random_set(3)
    samples = [PixelSample(f"p{n}", bool(m.any()), a, m) for n, (a, m) in enumerate(zip(maps, masks, strict=True))]
    plain = pixel_metrics(samples)
    rest = [
        PixelSample("no mask", is_defect=True, anomaly_map=maps[1] + 50, mask=None),
        PixelSample("empty", is_defect=True, anomaly_map=maps[1] + 50, mask=np.zeros_like(masks[1])),
    ]
    found = pixel_metrics([*samples, *rest])
    assert (found.n_without_mask, found.n_empty_mask) == (1, 1)
    assert (found.n_images, found.n_good) == (4, 1)
    assert (found.pixel_auroc, found.aupro) == (plain.pixel_auroc, plain.aupro)


def test_good_image_without_a_mask_counts_as_good_everywhere() -> None:
    maps, masks = random_set(4)
    samples = [PixelSample(f"p{n}", bool(m.any()), a, m) for n, (a, m) in enumerate(zip(maps, masks, strict=True))]
    assert not samples[0].is_defect
    bare = [PixelSample("p0", is_defect=False, anomaly_map=maps[0], mask=None), *samples[1:]]
    assert pixel_metrics(bare) == pixel_metrics(samples)


def test_without_defective_pixels_nothing_is_made_up() -> None:
    maps, masks = random_set(5)
    found = pixel_metrics(
        [
            PixelSample("good", is_defect=False, anomaly_map=maps[0], mask=None),
            PixelSample("bad", is_defect=True, anomaly_map=maps[1], mask=None),
        ]
    )
    assert [found.pixel_auroc, found.aupro, found.pixel_ap, found.pixel_f1_max] == [None] * 4
    assert found.reason.startswith("no defective pixel is known (1 defective images have no mask")
    assert pixel_metrics([]).reason.startswith("no defective pixel")
    whole = PixelSample("whole", is_defect=True, anomaly_map=maps[1], mask=np.ones_like(masks[1]))
    assert pixel_metrics([whole]).reason.startswith("no good pixel")


def test_what_cannot_be_judged_is_named() -> None:
    maps, masks = random_set(6)
    for spoilt in (np.nan, np.inf, -np.inf):
        broken = np.where(np.arange(17) == 3, np.float32(spoilt), maps[1])
        with pytest.raises(WeldError, match="map of p9: 13 of 221 pixels are not finite"):
            pixel_metrics([PixelSample("p9", is_defect=True, anomaly_map=broken, mask=masks[1])])
    with pytest.raises(WeldError, match="p9 are of 17×13 px and 13×17 px; resize the map"):
        pixel_metrics([PixelSample("p9", is_defect=True, anomaly_map=maps[1], mask=masks[1].T)])
    with pytest.raises(WeldError, match=r"mask of p9: marks \d+ pixels of an image labelled good"):
        pixel_metrics([PixelSample("p9", is_defect=False, anomaly_map=maps[1], mask=masks[1])])


def test_half_precision_maps_count_as_their_float32() -> None:
    maps, masks = random_set(8)
    halves = [each.astype(np.float16) for each in maps]
    assert judged(halves, masks) == judged([each.astype(np.float32) for each in halves], masks)


@settings(max_examples=60)
@given(arrays.arrays(np.float32, 30, elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_bins_keep_the_order_of_scores(scores) -> None:
    bins = bins_of(scores)
    order = np.argsort(scores, kind="stable")
    assert (np.diff(bins[order]) >= 0).all()
    lowest = scores_of(bins)
    assert (lowest <= scores).all()
    normal = np.abs(scores) > 1e-30  # below the smallest normal number, bins are of equal width
    assert (np.abs(lowest - scores)[normal] <= np.abs(lowest[normal]) / 32768).all()


def test_zero_has_one_bin() -> None:
    assert bins_of(np.array([-0.0], np.float32)) == bins_of(np.array([0.0], np.float32))


def test_quantile_of_a_histogram_is_that_of_the_scores() -> None:
    scores = np.random.default_rng(0).normal(5, 2, 9999).astype(np.float32)
    histogram = ScoreHistogram(np.int64)
    for part in np.array_split(scores, 7):
        histogram.add(bins_of(part))
    for share in (0.01, 0.5, 0.999):
        expected = np.quantile(scores, share, method="inverted_cdf")
        assert histogram.quantile(share) == pytest.approx(expected, rel=1 / 32768)


def test_real_masks_give_what_the_references_give(real_data) -> None:
    """Maps made by blurring the truth into noise, at the size of the real masks."""
    rng = np.random.default_rng(0)
    maps, masks = [], []
    for path in sorted((real_data / "hazelnut" / "ground_truth" / "colour").glob("*.png"))[:3]:
        mask = np.asarray(Image.open(path).convert("L").resize((64, 64))) > 127
        maps.append((rng.random(mask.shape) + 0.4 * mask).astype(np.float32))
        masks.append(mask)
    found = judged(maps, masks)
    assert found.n_regions == sum(len(regions(mask)) for mask in masks) > 0
    assert found.aupro == pytest.approx(brute_force_aupro(maps, masks, max_fpr=0.3), abs=CLOSE)


def test_aupro_ends_where_the_benchmark_of_the_layout_ends_it() -> None:
    assert usual_max_fpr({"mvtec_ad2"}) == 0.05
    assert usual_max_fpr({"mvtec", "class_folders"}) == usual_max_fpr(set()) == 0.3
