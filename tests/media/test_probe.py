import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.media.films import record, with_display_matrix
from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.clips import ArcGate, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.media.fingerprints import near_duplicates
from weld_pipeline.media.probe import Probe, probe_video

SETTINGS = {"gate": ArcGate(), "window": 16, "stride": 8, "min_decoded_fraction": 0.99, "thumbnail_px": 48}


def probe(path, **changes):
    return probe_video(path, **SETTINGS | changes)


def test_whole_recording_has_no_problem_and_its_arc_is_timed(film, tmp_path):
    probed = probe(film(tmp_path / "a.avi", dark=5, arc=40, tail=7))
    assert probed.problem is None
    assert (probed.width, probed.height, probed.fps, probed.n_frames) == (96, 60, 31.0, 52)
    assert probed.arc_start_s == pytest.approx(5 / 31)
    assert probed.arc_on_s == pytest.approx(40 / 31)
    assert probed.n_bytes == (tmp_path / "a.avi").stat().st_size
    assert probed.sha256 == sha256_file(tmp_path / "a.avi")


def test_mean_luma_is_that_of_the_arc_on_frames_alone(film, tmp_path):
    path = film(tmp_path / "a.avi", dark=50, arc=20, tail=50)
    with Video(path) as video:
        lit = [frame.image for frame in video.frames() if ArcGate().is_on(frame.image)]
    rec601 = np.mean(lit, axis=0)[::4, ::4] @ [0.299, 0.587, 0.114]
    assert probe(path).mean_luma == pytest.approx(rec601.mean(), rel=1e-4)


def test_thumbnail_shows_the_arc(film, tmp_path):
    image = Image.open(io.BytesIO(base64.b64decode(probe(film(tmp_path / "a.avi", dark=80, arc=20)).thumbnail)))
    assert image.size == (48, 30)
    assert np.asarray(image).max() > 160


def test_empty_file_is_told(tmp_path):
    (tmp_path / "a.avi").touch()
    assert probe(tmp_path / "a.avi") == Probe("empty: the file has 0 bytes; copy it again from the recorder", 0)


def test_text_is_no_video_and_the_reason_holds_no_path_of_this_machine(tmp_path):
    (tmp_path / "a.avi").write_text("not a video " * 50)
    probed = probe(tmp_path / "a.avi")
    assert probed.problem.startswith("not_a_video: ")
    assert str(tmp_path) not in probed.problem
    assert probed.sha256 == sha256_file(tmp_path / "a.avi")


@pytest.mark.parametrize("kept", [0.5, 0.8])
def test_file_cut_short_is_truncated(film, tmp_path, kept):
    path = film(tmp_path / "a.avi", arc=80)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert probe(path).problem.startswith("truncated: ")
    assert "of 88 frames" in probe(path).problem


def test_times_of_the_arc_are_those_of_the_stamps(tmp_path):
    # The arc burns in frames 5 to 34; from frame 20 on a frame lasts 100 ms instead of 40.
    ticks = [40 * index + 60 * max(index - 20, 0) for index in range(40)]
    probed = probe(record(tmp_path / "a.mp4", "h264.mp4", ticks=ticks))
    assert (probed.problem, probed.fps) == (None, pytest.approx(25))
    assert probed.arc_start_s == pytest.approx(0.2)
    assert probed.arc_on_s == pytest.approx(15 * 0.04 + 15 * 0.1)
    assert probed.duration_s == pytest.approx(20 * 0.04 + 20 * 0.1, abs=0.061)  # how long the last lasts is not told


def test_doubts_about_times_are_kept(tmp_path):
    (warning,) = probe(record(tmp_path / "a.h264", "raw.h264")).warnings
    assert warning.startswith("no_time_stamps: 40 of 40 frames")


def test_recording_turned_by_its_container_is_probed_upright(tmp_path):
    path = with_display_matrix(record(tmp_path / "a.mov", "mjpeg.mov"), (0, 1, -1, 0))
    probed = probe(path)
    assert (probed.problem, probed.width, probed.height) == (None, 64, 96)


def test_unreadable_frame_is_damage_and_no_truncation(tmp_path):
    content = bytearray(record(tmp_path / "a.avi", "mjpeg.avi").read_bytes())
    at = len(content) // 2
    content[at : at + 600] = bytes(600)
    (tmp_path / "a.avi").write_bytes(content)
    assert probe(tmp_path / "a.avi").problem.startswith("damaged: ")


def test_frames_above_the_limit_are_a_reason(tmp_path):
    assert probe(record(tmp_path / "a.avi"), max_pixels=1000).problem.startswith("too_large: ")


def test_dark_recording_has_no_arc_and_still_an_image(film, tmp_path):
    probed = probe(film(tmp_path / "a.avi", arc=0, dark=40))
    assert probed.problem.startswith("no_arc: ")
    assert probed.thumbnail is not None
    assert probed.fingerprint is None


@pytest.mark.parametrize(("tail", "is_too_short"), [(0, True), (10, False)])
def test_recording_without_one_clip_is_too_short(film, tmp_path, tail, is_too_short):
    # 8 arc-on frames are half of a 16-frame clip, enough for the gate, if the recording goes on for 8 frames.
    problem = probe(film(tmp_path / "a.avi", arc=8, tail=tail)).problem
    assert (problem or "").startswith("too_short") == is_too_short


def test_probe_and_training_agree_on_whether_there_is_a_clip(film, tmp_path):
    for arc, tail in [(5, 20), (8, 8), (8, 7), (15, 0), (16, 0)]:
        path = film(tmp_path / f"{arc}-{tail}.avi", arc=arc, tail=tail)
        with Video(path) as video:
            clips = list(arc_clips(video.frames(), gate=ArcGate(), window=16, stride=8, transform=lambda f: f))
        assert (probe(path).problem is None) == bool(clips)


def test_copy_re_encoded_smaller_and_later_cut_is_found_again(film, tmp_path):
    original = probe(film(tmp_path / "a.avi", seed=1, dark=10, arc=120))
    copy = probe(film(tmp_path / "b.mp4", seed=1, dark=2, arc=90, tail=0, size=(128, 80), codec="libx264"))
    other = probe(film(tmp_path / "c.avi", seed=2, dark=10, arc=120))
    assert original.sha256 != copy.sha256
    assert near_duplicates([original.fingerprint, other.fingerprint, copy.fingerprint]).tolist() == [[0, 2]]


def test_real_recording_is_usable_and_lit_for_eleven_seconds(real_data):
    run = real_data / "intel_robotic_welding/overlap_1_03-22-23_BSK46/03-22-23-0001-06/03-22-23-0001-06.avi"
    probed = probe(run)
    assert probed.problem is None
    assert probed.n_frames == 669
    assert (probed.arc_start_s, probed.arc_on_s) == (pytest.approx(181 / 31), pytest.approx(339 / 31))
