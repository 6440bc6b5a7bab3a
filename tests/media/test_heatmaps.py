"""Anomaly maps over images."""

import numpy as np
import pytest
from matplotlib import colormaps
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.heatmaps import (
    FOUND,
    TRUTH,
    MapRange,
    anomaly_overlay,
    heat_colours,
    outline,
    resize_map,
    resize_mask,
)

GREY = np.full((40, 60, 3), 100, np.uint8)


def hot_square():
    anomaly_map = np.zeros((40, 60), np.float32)
    anomaly_map[10:20, 10:30] = 9.0
    return anomaly_map


def test_image_stays_as_it_is_where_the_map_is_low() -> None:
    drawn = anomaly_overlay(GREY, hot_square(), low=1.0, high=10.0)
    assert drawn.shape == GREY.shape
    assert np.array_equal(drawn[25:], GREY[25:])
    assert (drawn[12:18, 12:28] != 100).any(axis=2).all()


def test_contour_runs_around_what_reaches_the_threshold_and_only_there() -> None:
    drawn = anomaly_overlay(GREY, hot_square(), low=0.0, high=20.0, threshold=9.0)
    is_white = (drawn == FOUND).all(axis=2)
    expected = np.zeros((40, 60), bool)
    expected[10:20, 10:30] = True
    expected[11:19, 11:29] = False
    assert np.array_equal(is_white, expected)
    assert not (anomaly_overlay(GREY, hot_square(), low=0.0, high=20.0, threshold=9.5) == FOUND).all(axis=2).any()


def test_mask_is_outlined_in_its_own_colour() -> None:
    mask = np.zeros((40, 60), bool)
    mask[30:35, 40:50] = True
    drawn = anomaly_overlay(GREY, np.zeros((4, 6), np.float32), low=0.0, high=1.0, threshold=0.5, mask=mask)
    assert np.array_equal((drawn == TRUTH).all(axis=2), outline(mask, line_px=1))


def test_outline_is_closed_at_the_border_and_as_wide_as_asked() -> None:
    whole = np.ones((9, 9), bool)
    assert outline(whole, line_px=1).sum() == 9 * 9 - 7 * 7
    assert outline(whole, line_px=2).sum() == 9 * 9 - 5 * 5
    assert outline(whole, line_px=5).all()
    assert not outline(~whole, line_px=1).any()


def test_large_images_have_thicker_contours() -> None:
    large = np.zeros((500, 2000, 3), np.uint8)
    anomaly_map = np.zeros((500, 2000), np.float32)
    anomaly_map[100:200, 100:200] = 1.0
    drawn = anomaly_overlay(large, anomaly_map, low=0.0, high=2.0, threshold=1.0)
    assert (drawn == FOUND).all(axis=2).sum() == 100 * 100 - 92 * 92  # √(500 · 2000) / 250 = 4 px


def test_range_and_map_must_make_sense() -> None:
    with pytest.raises(WeldError, match=r"range from 2.0 to 2.0 is empty"):
        anomaly_overlay(GREY, hot_square(), low=2.0, high=2.0)
    with pytest.raises(WeldError, match="not finite"):
        anomaly_overlay(GREY, np.full((4, 4), np.nan, np.float32), low=0.0, high=1.0)


def test_colours_are_matplotlibs_inferno() -> None:
    heat = np.linspace(0, 1, 256, dtype=np.float32)[None]
    expected = colormaps["inferno"](heat)[..., :3] * 255
    assert np.abs(heat_colours(heat) - expected).max() < 11  # 13 stops stand for 256


def test_map_is_resized_between_pixel_centres() -> None:
    """Twice as large, by hand: centres at ±1/4 of a pixel, held beyond the outermost."""
    resized = resize_map(np.array([[0.0, 4.0]], np.float32), height=1, width=4)
    assert resized.tolist() == [[0.0, 1.0, 3.0, 4.0]]
    assert resize_map(np.array([[3]], np.float16), height=2, width=3).tolist() == [[3.0] * 3] * 2


def test_upsampled_map_is_what_torch_makes_of_it() -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).normal(size=(14, 14)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], size=(100, 60), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    assert np.abs(resize_map(values, height=100, width=60) - expected).max() < 1e-5


def test_single_marked_pixel_survives_a_smaller_show() -> None:
    mask = np.zeros((300, 300), bool)
    mask[151, 77] = True
    assert resize_mask(mask, height=30, width=30).sum() == 1


@pytest.mark.parametrize(("low", "threshold", "high"), [(0.0, 0.5, 1.0), (-2.0, -2.0, 3.0), (0.0, 1.0, 1.0)])
def test_range_of_maps_may_begin_or_end_at_its_threshold(low, threshold, high) -> None:
    shown = MapRange(low=low, threshold=threshold, high=high)
    assert MapRange.model_validate_json(shown.model_dump_json()) == shown


@pytest.mark.parametrize(
    ("low", "threshold", "high"),
    [(0.0, 1.5, 1.0), (0.5, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, np.nan, 1.0), (0.0, 0.5, np.inf)],
)
def test_range_of_maps_that_does_not_rise_is_refused(low, threshold, high) -> None:
    with pytest.raises(ValidationError, match=r"do not rise|finite"):
        MapRange(low=low, threshold=threshold, high=high)


def test_range_of_maps_with_a_key_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValidationError, match="gamma"):
        MapRange.model_validate({"low": 0.0, "threshold": 0.5, "high": 1.0, "gamma": 2.2})
