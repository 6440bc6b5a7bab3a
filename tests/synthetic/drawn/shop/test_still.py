import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from weld_pipeline.synthetic.drawn.shop.drawing import example_weld
from weld_pipeline.synthetic.drawn.shop.plate import PLATE_PX, draw_plate
from weld_pipeline.synthetic.drawn.shop.still import draw_still, still_names
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES

WELD = example_weld(still_width=800)


def photo(weld, number=0):
    return Image.open(io.BytesIO(draw_still(weld, still_names(weld)[number])))


def test_five_photographs_are_named_as_the_phone_names_them():
    names = still_names(WELD)
    assert len(set(names)) == 5
    assert names == sorted(names)
    assert all(re.fullmatch(r"20230102_\d{6}_\d{3}\.jpg", name) for name in names)


def test_photograph_has_the_shape_of_a_real_one_and_says_it_is_drawn():
    image = photo(WELD)
    assert image.size == (800, 360)  # 2000 × 900, as the real ones, times 0.4
    assert b"not a recording of a real weld" in image.info["comment"]


def test_photographs_of_a_run_differ_and_repeat_under_a_seed():
    first, second = np.asarray(photo(WELD, 0)), np.asarray(photo(WELD, 1))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, np.asarray(photo(WELD, 0)))


def test_photograph_does_not_depend_on_those_before_it():
    before = draw_still(WELD, still_names(WELD)[2])
    other = example_weld("Spatter", number=9, still_width=800)
    draw_still(other, still_names(other)[0])
    assert draw_still(WELD, still_names(WELD)[2]) == before


def label_region(weld):
    return draw_plate(weld, np.random.default_rng(0))[230:350, 330:740, :3].astype(int)


def test_label_is_paper_with_dark_print_or_blue_ink():
    printed, written = label_region(WELD), label_region(replace(WELD, is_handwritten=True))
    assert (printed.min(axis=2) > 220).mean() > 0.3
    assert ((printed.max(axis=2) < 60) & (np.ptp(printed, axis=2) < 15)).sum() > 300
    assert ((written[..., 2] > 110) & (written[..., 0] < 60)).sum() > 300


@pytest.mark.parametrize("label", CLASSES)
def test_every_class_has_a_plate_with_a_bead(label):
    plate = draw_plate(example_weld(label), np.random.default_rng(0))
    assert plate.shape == (PLATE_PX[1], PLATE_PX[0], 4)
    assert plate[120:150, 300:700, :3].max() > 180
