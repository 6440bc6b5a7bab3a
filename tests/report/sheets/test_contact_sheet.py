import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from weld_pipeline.report.sheets.contact_sheet import Tile, draw_sheet, pick_evenly

RED = (194, 69, 58)


def tile(group="a", **kept):
    return Tile(key="k", title="03-22-23-0001-06", text="Overlap · train", group=group, **kept)


def jpeg(level):
    buffer = io.BytesIO()
    Image.new("RGB", (240, 150), (level, level, level)).save(buffer, format="JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def is_red(image):
    return bool((np.abs(image.astype(int) - RED).max(axis=2) < 3).any())


def test_sheet_has_a_row_for_every_few_tiles():
    sheets = [draw_sheet([tile()] * n, heading="h", n_columns=4, tile_px=100) for n in (4, 5)]
    # A row is the image (100 × 5/8), three lines of 15 and a gap of 10.
    assert sheets[1].shape[0] - sheets[0].shape[0] == 62 + 3 * 15 + 10
    assert sheets[0].shape[1] == sheets[1].shape[1] == 4 * 110 + 10


def test_thumbnail_is_drawn_in_its_tile():
    sheet = draw_sheet([tile(thumbnail=jpeg(40))], heading="h", n_columns=1, tile_px=100)
    assert abs(int(sheet[80, 60, 0]) - 40) < 4


def test_only_flagged_tiles_are_red():
    assert not is_red(draw_sheet([tile(thumbnail=jpeg(40))], heading="h", n_columns=1, tile_px=100))
    assert is_red(draw_sheet([tile(is_flagged=True)], heading="h", n_columns=1, tile_px=100))


def test_long_captions_stay_in_their_column():
    long = Tile(key="k", title="x" * 300, text="y" * 300 + " " + "z " * 300, group="a")
    sheet = draw_sheet([tile(), long], heading="h", n_columns=2, tile_px=100)
    assert (sheet[40:, 220:] == 255).all()


def test_empty_sheet_has_its_heading():
    sheet = draw_sheet([], heading="0 recordings", n_columns=2, tile_px=100)
    assert sheet.min() < 100


def test_tiles_are_picked_evenly_over_groups():
    tiles = [tile("common")] * 97 + [tile("rare")] * 3
    picked = [one.group for one in pick_evenly(tiles, 10)]
    assert picked == ["common"] * 7 + ["rare"] * 3


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(0, 40))
def test_as_many_are_picked_as_there_are_or_are_wanted(groups, n):
    tiles = [Tile(str(i), "t", "", group) for i, group in enumerate(groups)]
    picked = pick_evenly(tiles, n)
    assert len(picked) == min(n, len(tiles))
    assert len({one.key for one in picked}) == len(picked)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_picked_tiles_keep_their_order(n):
    tiles = [Tile(str(i), "t", "", "a") for i in range(9)]
    keys = [int(one.key) for one in pick_evenly(tiles, n)]
    assert keys == sorted(keys)
