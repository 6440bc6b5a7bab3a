import numpy as np
import pytest

from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE, make_bead

SEEDS = range(12)


def beads(is_good):
    return [make_bead(np.random.default_rng(seed), is_good=is_good) for seed in SEEDS]


def test_good_bead_is_even_and_has_no_flaw():
    for bead in beads(is_good=True):
        middle = slice(bead.ends[0] + 30, bead.ends[1] - 30)
        assert bead.flawed == []
        assert bead.half[middle].std() < 2.5
        assert len(bead.grains) < 4


def test_bad_beads_have_every_fault_among_them():
    flawed = beads(is_good=False)
    assert any(len(bead.pores) for bead in flawed)
    assert any(len(bead.crater) for bead in flawed)
    assert any(len(bead.cracks) for bead in flawed)
    assert any(bead.notched.any() for bead in flawed)
    assert any(len(bead.grains) > 50 for bead in flawed)
    assert any(bead.half[100:500].std() > 4 for bead in flawed)


@pytest.mark.parametrize("is_good", [True, False])
def test_bead_stays_on_its_plate(is_good):
    for bead in beads(is_good):
        assert bead.outline.min() > 0
        assert (bead.outline < PLATE).all()


def test_rectangles_hold_the_flaws_they_are_for():
    for bead in beads(is_good=False):
        for x, y, _ in (*bead.pores, *bead.crater):
            assert any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in bead.flawed)
