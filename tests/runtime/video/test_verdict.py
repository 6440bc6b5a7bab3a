import pytest

from weld_pipeline.runtime.video.verdict import ClipResult, WorstStretch

STRIDE = 2


def clip(start, p_not_good, name="porosity"):
    return ClipResult(start, start / 10, (start + 4) / 10, None, None, name, {}, p_not_good, 0.0)


def worst(*clips):
    finder = WorstStretch(STRIDE)
    for each in clips:
        finder.add(each)
    return finder.worst


def test_no_clip_has_no_worst_stretch():
    assert worst() is None


def test_stretch_grows_over_suspicious_neighbours_on_both_sides_of_the_peak():
    found = worst(clip(0, 0.1), clip(2, 0.6), clip(4, 0.9, "undercut"), clip(6, 0.7), clip(8, 0.2))
    assert (found.start_s, found.end_s) == pytest.approx((0.2, 1.0))
    assert (found.predicted, found.p_not_good) == ("undercut", 0.9)


def test_longer_stretch_with_a_lower_peak_loses():
    found = worst(clip(0, 0.6), clip(2, 0.6), clip(4, 0.6), clip(6, 0.1), clip(8, 0.8))
    assert (found.start_s, found.end_s) == pytest.approx((0.8, 1.2))


def test_stretch_after_the_worst_does_not_lengthen_it():
    found = worst(clip(0, 0.9), clip(2, 0.1), clip(4, 0.6), clip(6, 0.7))
    assert (found.start_s, found.end_s) == pytest.approx((0.0, 0.4))


def test_pause_of_the_arc_ends_a_stretch():
    found = worst(clip(0, 0.8), clip(20, 0.9))
    assert (found.start_s, found.end_s) == pytest.approx((2.0, 2.4))


def test_clip_that_is_not_suspicious_stands_alone():
    found = worst(clip(0, 0.3), clip(2, 0.4), clip(4, 0.35))
    assert (found.start_s, found.end_s, found.p_not_good) == pytest.approx((0.2, 0.6, 0.4))
