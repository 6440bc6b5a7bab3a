import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from weld_pipeline.runtime.anomaly.regions import Region, find_regions


def test_places_are_told_with_box_area_and_peak_highest_first():
    levels = np.zeros((6, 8))
    levels[0, 0:3] = 2.0
    levels[1, 2] = 3.0
    levels[4:6, 5:8] = 5.0
    assert find_regions(levels, threshold=2.0, height=6, width=8) == (
        Region(top=4, left=5, height=2, width=3, area_px=6, peak=5.0),
        Region(top=0, left=0, height=2, width=3, area_px=4, peak=3.0),
    )


def test_boxes_are_in_pixels_of_the_image():
    levels = np.zeros((4, 4))
    levels[1, 2:4] = 1.0
    # A cell of the map is 10 rows by 5 columns of the image.
    assert find_regions(levels, threshold=1.0, height=40, width=20) == (Region(10, 10, 10, 10, 100, 1.0),)


def test_map_below_the_threshold_has_no_place():
    assert find_regions(np.full((3, 3), 0.5), threshold=0.6, height=3, width=3) == ()


def test_specks_without_number_are_cut_to_the_highest():
    levels = np.zeros((20, 20))
    levels[::2, ::2] = 1 + np.arange(100).reshape(10, 10)
    found = find_regions(levels, threshold=1.0, height=20, width=20)
    assert [region.peak for region in found] == list(range(100, 80, -1))


@pytest.mark.parametrize("shape", ["U", "S"])
def test_place_that_bends_back_is_one(shape):
    drawn = {"U": ["#...#", "#...#", "#####"], "S": ["####", "#...", "####", "...#", "####"]}[shape]
    levels = np.array([[float(cell == "#") for cell in line] for line in drawn])
    (found,) = find_regions(levels, threshold=0.5, height=len(levels), width=levels.shape[1])
    assert found.area_px == levels.sum()


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 9), st.floats(0.2, 0.7))
def test_places_are_those_of_scipy(seed, height, width, share):
    levels = np.random.default_rng(seed).random((height, width))
    labels, n_places = ndimage.label(levels >= share)
    found = find_regions(levels, threshold=share, height=height, width=width)
    expected = sorted((levels[labels == name].max(), int((labels == name).sum())) for name in range(1, n_places + 1))
    assert [(region.peak, region.area_px) for region in found] == expected[::-1][:20]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40), st.integers(0, 10_000))
def test_boxes_lie_in_the_image_whatever_its_size(height, width, side, seed):
    levels = np.random.default_rng(seed).random((side, side))
    for region in find_regions(levels, threshold=0.9, height=height, width=width):
        assert 0 <= region.top < region.top + region.height <= height
        assert 0 <= region.left < region.left + region.width <= width
        assert region.area_px >= 1


def test_place_in_the_last_corner_ends_with_the_image():
    levels = np.zeros((224, 224))
    levels[220:, 220:] = 1.0
    (found,) = find_regions(levels, threshold=0.5, height=225, width=225)
    assert (found.top + found.height, found.left + found.width) == (225, 225)
