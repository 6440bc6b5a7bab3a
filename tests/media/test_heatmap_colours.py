"""Heat over an image."""

import numpy as np

from weld_pipeline.media.heatmaps import heat_overlay

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_image_shows_through_where_there_is_no_heat():
    heat = np.zeros((4, 6), np.float32)
    assert np.array_equal(heat_overlay(IMAGE, heat), IMAGE)
    heat[0, 0] = 1
    drawn = heat_overlay(IMAGE, heat)
    assert drawn.shape == IMAGE.shape
    assert np.array_equal(drawn[10:, 15:], IMAGE[10:, 15:])
    assert not np.array_equal(drawn[:3, :3], IMAGE[:3, :3])


def test_full_heat_is_bright_yellow_over_black():
    """The upper end of OpenCV's inferno is (252, 255, 164) RGB; 0.55 of it over black."""
    drawn = heat_overlay(np.zeros((8, 8, 3), np.uint8), np.ones((2, 2), np.float32))
    assert np.abs(drawn[4, 4].astype(int) - np.array([139, 140, 90])).max() <= 1
