import io

import av
import numpy as np
import pytest

from weld_pipeline.media.clips import ArcGate, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.synthetic.drawn.shop.drawing import example_weld
from weld_pipeline.synthetic.drawn.shop.video import draw_video
from weld_pipeline.synthetic.drawn.shop.welds import FPS


@pytest.fixture(scope="module")
def video_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "weld.avi"
    path.write_bytes(draw_video(example_weld(arc_s=1.5, lead_s=1.0)))
    return path


@pytest.fixture(scope="module")
def frames(video_file):
    with Video(video_file) as video:
        return [frame.image for frame in video.frames()]


def test_file_is_as_the_recorder_writes_it(video_file):
    with av.open(str(video_file)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("mpeg4", 960, 600)
        assert stream.average_rate == FPS
        assert "not a recording of a real weld" in container.metadata["comment"]


def test_recording_lasts_as_long_as_its_recipe_says(frames):
    assert abs(len(frames) - 3.5 * FPS) <= 1


def test_arc_gate_finds_the_arc_to_within_the_first_glow(frames):
    gate = ArcGate()
    on = [index for index, frame in enumerate(frames) if gate.is_on(frame)]
    assert on[0] == 31  # after one second of dark
    # The pool glows on for a few frames, as on the real recording.
    assert 31 + round(1.5 * FPS) - 1 <= on[-1] <= 31 + round(1.5 * FPS) + 8
    assert len(on) == on[-1] - on[0] + 1


def test_windows_of_sixteen_fit_the_arc(video_file):
    with Video(video_file) as video:
        clips = list(arc_clips(video.frames(), gate=ArcGate(), window=16, stride=8, transform=lambda frame: None))
    assert [clip.start for clip in clips][:4] == [31, 39, 47, 55]
    assert len(clips) >= 4


def test_dark_frames_are_as_dark_as_real_ones(frames):
    # The real recording has a luma of 10.0 before the arc and 10.0 after it.
    assert np.mean(frames[5]) == pytest.approx(10, abs=1)
    assert np.mean(frames[-1]) == pytest.approx(10, abs=1)


def luma_statistics(frames):
    luma = np.array([frame.mean() for frame in frames])
    bright = np.array([(frame[..., 1] >= 128).mean() for frame in frames])
    return np.percentile(luma, 10), np.percentile(luma, 60), np.median(bright)


def test_arc_frames_are_lit_as_real_ones(frames):
    # Real, frames 200 to 505: background current 15, peak current 35, 5 % of the pixels above 128.
    background, peak, bright = luma_statistics(frames[40:75])
    assert 11 < background < 20
    assert 22 < peak < 45
    assert 0.015 < bright < 0.08


def test_drawn_light_lies_near_the_real_recording(frames, real_data):
    path = next((real_data / "intel_robotic_welding").glob("overlap*/*/*.avi"))
    with Video(path) as video:
        real = [frame.image for index, frame in enumerate(video.frames()) if 300 <= index < 340]
    ratio = np.array(luma_statistics(frames[40:75])) / np.array(luma_statistics(real))
    assert np.all(ratio > 0.4)
    assert np.all(ratio < 2.5)


def test_same_recipe_gives_same_bytes_and_another_number_another_weld():
    small = {"arc_s": 0.4, "lead_s": 0.1, "width": 320}
    one = draw_video(example_weld("Spatter", **small))
    assert one == draw_video(example_weld("Spatter", **small))
    assert one != draw_video(example_weld("Spatter", number=2, **small))


def test_frames_are_grey():
    file = draw_video(example_weld("Good", arc_s=0.3, lead_s=0.0, width=320))
    with av.open(io.BytesIO(file)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.ptp(frame.astype(int), axis=2).max() == 0
