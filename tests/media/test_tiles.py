import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.tiles import Box, cut, marked_px, stitch, tile_boxes

SIDES = st.integers(1, 60)


@st.composite
def tilings(draw):
    tile_px = draw(st.integers(1, 40))
    height, width, overlap_px = draw(SIDES), draw(SIDES), draw(st.integers(0, tile_px - 1))
    # Tiles that advance by a pixel are legal, and slow to test by the thousand.
    overlap_px = min(overlap_px, tile_px - max(1, tile_px // 4))
    return height, width, tile_px, overlap_px, tile_boxes(height, width, tile_px=tile_px, overlap_px=overlap_px)


def test_last_tile_is_moved_back_to_end_at_the_border():
    boxes = tile_boxes(10, 25, tile_px=10, overlap_px=2)
    assert boxes == [Box(0, 0, 10, 10), Box(0, 8, 10, 10), Box(0, 15, 10, 10)]


def test_tiles_that_fit_exactly_are_not_doubled():
    assert [box.left for box in tile_boxes(4, 16, tile_px=4, overlap_px=0)] == [0, 4, 8, 12]
    assert [box.left for box in tile_boxes(4, 10, tile_px=4, overlap_px=1)] == [0, 3, 6]


def test_image_smaller_than_a_tile_is_one_tile():
    assert tile_boxes(5, 7, tile_px=10, overlap_px=3) == [Box(0, 0, 5, 7)]


def test_long_film_is_cut_along_its_length_only():
    boxes = tile_boxes(646, 4992, tile_px=646, overlap_px=323)
    assert {(box.top, box.height, box.width) for box in boxes} == {(0, 646, 646)}
    assert len(boxes) == 15  # (4992 - 646) / 323 = 13.5, and the first


@pytest.mark.parametrize(("tile_px", "overlap_px"), [(4, 4), (4, -1), (4, 9)])
def test_overlap_that_is_no_part_of_a_tile_is_told(tile_px, overlap_px):
    with pytest.raises(WeldError, match=f"tiles of {tile_px} px cannot overlap by {overlap_px} px; .* from 0 to 3"):
        tile_boxes(8, 8, tile_px=tile_px, overlap_px=overlap_px)


def test_empty_image_is_told():
    with pytest.raises(WeldError, match="each must be at least 1 px"):
        tile_boxes(0, 8, tile_px=4, overlap_px=0)


@given(tilings())
def test_every_pixel_is_covered_by_tiles_of_one_size_that_overlap_as_asked(tiling):
    height, width, tile_px, overlap_px, boxes = tiling
    covered = np.zeros((height, width), dtype=int)
    for box in boxes:
        covered[box.slices] += 1
        assert (box.height, box.width) == (min(tile_px, height), min(tile_px, width))
        assert 0 <= box.top <= height - box.height
        assert 0 <= box.left <= width - box.width
    assert covered.min() >= 1
    for starts in (sorted({box.top for box in boxes}), sorted({box.left for box in boxes})):
        assert all(0 < gap <= tile_px - overlap_px for gap in np.diff(starts))


@given(tilings(), st.floats(-1e3, 1e3), st.integers(1, 9))
def test_constant_maps_stitch_to_a_constant(tiling, value, side):
    height, width, *_, boxes = tiling
    maps = np.full((len(boxes), side, side), value, dtype=np.float32)
    whole = stitch(maps, boxes, height=height, width=width)
    assert whole.shape == (height, width)
    np.testing.assert_allclose(whole, np.float32(value), rtol=1e-5, atol=1e-6)


@given(tilings())
def test_tiles_of_a_map_stitch_back_to_it(tiling):
    height, width, *_, boxes = tiling
    assume(boxes[0].height == boxes[0].width)  # as maps are
    whole = np.random.default_rng(0).normal(size=(height, width)).astype(np.float32)
    maps = np.stack([whole[box.slices] for box in boxes])
    np.testing.assert_allclose(stitch(maps, boxes, height=height, width=width), whole, rtol=1e-4, atol=1e-5)


def test_overlap_passes_from_one_tile_to_the_next_without_a_step():
    boxes = tile_boxes(4, 12, tile_px=8, overlap_px=4)
    maps = np.stack([np.zeros((4, 4), np.float32), np.ones((4, 4), np.float32)])
    row = stitch(maps, boxes, height=4, width=12)[0]
    # Weights of a side of 8 are 1 2 3 4 4 3 2 1: in the overlap 4 3 2 1 against 1 2 3 4.
    np.testing.assert_allclose(row, [0] * 4 + [0.2, 0.4, 0.6, 0.8] + [1] * 4, rtol=1e-6)


def test_map_is_resized_to_its_box_bilinearly():
    whole = stitch(np.array([[[0, 1], [0, 1]]], np.float32), [Box(0, 0, 2, 4)], height=2, width=4)
    np.testing.assert_allclose(whole, [[0, 0.25, 0.75, 1]] * 2, rtol=1e-6)


def test_number_of_maps_is_that_of_boxes():
    with pytest.raises(ValueError, match="zip"):
        stitch(np.zeros((1, 2, 2), np.float32), tile_boxes(4, 8, tile_px=4, overlap_px=0), height=4, width=8)


def test_tiles_are_cut_where_their_boxes_lie():
    image = np.arange(2 * 6 * 3, dtype=np.uint8).reshape(2, 6, 3)
    boxes = tile_boxes(2, 6, tile_px=4, overlap_px=2)
    tiles = cut(image, boxes)
    assert tiles.shape == (4 - 2, 2, 4, 3)
    np.testing.assert_array_equal(tiles[1], image[:, 2:])


def test_marked_pixels_are_counted_in_each_tile():
    mask = np.zeros((2, 6), dtype=bool)
    mask[0, 3:] = True
    assert marked_px(mask, tile_boxes(2, 6, tile_px=2, overlap_px=0)).tolist() == [0, 1, 2]
