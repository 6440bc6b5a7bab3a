import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.clips import ArcGate, arc_clips, window_starts
from weld_pipeline.media.recordings.timing import TimedFrame

GATE = ArcGate()


def frames(pattern):
    """One frame a letter: `.` dark, `#` arc-on; the index is written into the corner the gate does not sample."""
    for index, letter in enumerate(pattern):
        frame = np.full((40, 60, 3), 10, np.uint8)
        if letter == "#":
            frame[8:20, 8:20] = 255
        frame[1, 1] = index
        yield TimedFrame(frame, index / 10, (index + 1) / 10)


def clips(pattern, *, window=4, stride=2, gate=GATE):
    clips = arc_clips(frames(pattern), gate=gate, window=window, stride=stride, transform=lambda f: int(f[1, 1, 0]))
    return [(clip.start, clip.frames) for clip in clips]


@pytest.mark.parametrize(
    ("n_frames", "starts"), [(0, []), (15, []), (16, [0]), (23, [0]), (24, [0, 8]), (33, [0, 8, 16])]
)
def test_windows_are_full_ones_only(n_frames, starts):
    assert window_starts(n_frames, window=16, stride=8).tolist() == starts


@pytest.mark.parametrize("lengths", [(0, 8), (16, 0), (-1, 8)])
def test_window_below_one_frame_is_refused(lengths):
    with pytest.raises(WeldError, match="at least 1 frame"):
        window_starts(100, window=lengths[0], stride=lengths[1])


def test_clips_begin_at_the_first_frame_with_arc():
    assert clips("...######...")[0] == (3, (3, 4, 5, 6))


def test_clip_lasts_from_its_first_frame_to_the_end_of_its_last():
    timed = [
        TimedFrame(frame.image, start, end)
        for frame, start, end in zip(frames("####"), (0.0, 1.0, 5.0, 6.0), (1.0, 5.0, 6.0, 9.0), strict=True)
    ]
    (clip,) = arc_clips(timed, gate=GATE, window=3, stride=2, transform=lambda f: None)
    assert (clip.start_s, clip.end_s) == (0, 6)


def test_dark_lead_in_and_lead_out_give_no_clip():
    assert [start for start, _ in clips("...######.....")] == [3, 5, 7]


def test_clip_kept_at_half_its_frames_lit_and_dropped_below():
    assert [start for start, _ in clips("####..##", stride=1)] == [0, 1, 2, 3, 4]
    assert [start for start, _ in clips("###...##", stride=1)] == [0, 1, 4]


def test_video_without_arc_has_no_clip():
    assert clips("." * 30) == []


def test_stretch_shorter_than_a_window_has_none():
    assert clips("..###") == []


@given(st.text(alphabet=".#", max_size=60), st.integers(1, 9), st.integers(1, 9))
def test_clips_agree_with_windows_cut_from_the_whole_video(pattern, window, stride):
    lit = np.array([letter == "#" for letter in pattern], bool)
    expected = []
    if lit.any():
        first = int(lit.argmax())
        starts = first + window_starts(len(pattern) - first, window=window, stride=stride)
        kept = [start for start in starts if lit[start : start + window].mean() >= GATE.min_clip_fraction]
        expected = [(start, tuple(range(start, start + window))) for start in kept]
    assert clips(pattern, window=window, stride=stride) == expected


def test_gate_is_on_from_its_share_of_bright_pixels():
    frame = np.full((40, 40, 3), 127, np.uint8)  # the gate sees every fourth pixel: 100 of them
    gate = ArcGate(min_luma=128, min_bright_fraction=0.02)
    frame[0, 0, 1] = 128
    assert not gate.is_on(frame)
    frame[4, 4, 1] = 128
    assert gate.is_on(frame)
