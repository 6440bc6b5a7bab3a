from fractions import Fraction

import pytest

from weld_pipeline.media.recordings.timing import FrameClock

MS = Fraction(1, 1000)


def times(clock, *ticks):
    return [clock.stamp(tick)[0] for tick in ticks]


def test_time_counts_from_the_first_frame():
    assert times(FrameClock(tick_s=MS), -80, -40, 0, 100) == pytest.approx([0, 0.04, 0.08, 0.18])


def test_frame_lasts_as_long_as_it_says_or_as_the_rate_says():
    clock = FrameClock(tick_s=MS, rates=[Fraction(25)])
    assert clock.stamp(0, 70) == pytest.approx((0, 0.07))
    assert clock.stamp(70, 0) == pytest.approx((0.07, 0.11))


@pytest.mark.parametrize(
    ("ticks", "expected", "n_counted"),
    [
        ([0, 40, None, 120], [0, 0.04, 0.08, 0.12], 1),
        ([0, 40, 40, 120], [0, 0.04, 0.08, 0.12], 1),
        ([0, 40, 10, 120], [0, 0.04, 0.08, 0.12], 1),
        ([None, None, None], [0, 0.04, 0.08], 3),
        ([None, 5000, 5040], [0, 0.04, 0.08], 1),
        ([0, 0, 0, 0], [0, 0.04, 0.08, 0.12], 3),
    ],
    ids=["missing", "repeated", "backward", "none", "first_missing", "all_the_same"],
)
def test_frame_without_a_usable_stamp_is_counted_at_the_rate_and_told(ticks, expected, n_counted):
    clock = FrameClock(tick_s=MS, rates=[Fraction(25)])
    assert times(clock, *ticks) == pytest.approx(expected)
    (warning,) = clock.warnings
    assert warning.startswith(f"no_time_stamps: {n_counted} of {len(ticks)} frames")
    assert "25 frames/s" in warning


def test_neither_stamp_nor_rate_gives_no_time():
    with pytest.raises(ValueError, match="neither time stamps nor a rate"):
        FrameClock(tick_s=None).stamp(None)


def test_rate_is_that_of_the_median_interval_where_none_is_announced():
    clock = FrameClock(tick_s=MS)
    assert clock.fps is None
    times(clock, 0, 100, 200, 310, 400, 2000)
    assert clock.fps == pytest.approx(10)


@pytest.mark.parametrize(("announced", "fps"), [(30, 30.0), (25, 1000 / 33)])
def test_announced_rate_counts_where_stamps_agree_to_a_tick(announced, fps):
    clock = FrameClock(tick_s=MS, rates=[Fraction(announced)])
    times(clock, 0, 33, 67, 100, 133, 167)  # 30 frames/s in whole milliseconds
    assert clock.fps == pytest.approx(fps)


def test_long_pause_is_told():
    clock = FrameClock(tick_s=MS, rates=[Fraction(25)])
    times(clock, 0, 40, 80, 1080, 1120)
    assert clock.warnings == ("pause: no frame was seen for 1.00 s after 0.08 s; look at that stretch yourself",)


def test_slow_film_is_no_pause():
    clock = FrameClock(tick_s=MS)
    times(clock, 0, 1000, 2000, 3000)
    assert clock.warnings == ()
