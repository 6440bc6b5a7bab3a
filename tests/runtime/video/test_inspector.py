import dataclasses
import json
from pathlib import Path

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.runtime.video.inspector import VideoInspector


@pytest.fixture
def inspector(bundle_folder):
    return VideoInspector(bundle_folder, n_threads=1)


@pytest.fixture
def moving(bundle_folder):
    """Return an inspector that knows the travel speed."""
    return lambda travel_mm_s: VideoInspector(bundle_folder, n_threads=1, travel_mm_s=travel_mm_s)


def test_verdict_is_the_mean_over_the_clips(inspector, write_video):
    # Windows of 4 frames every 2, from frame 3: all at 51/255 = 0.2, half of them at 1, all at 1.
    path = write_video([None] * 3 + [51] * 4 + [255] * 4)
    verdict = inspector.inspect(path)
    assert [clip.start_frame for clip in verdict.clips] == [3, 5, 7]
    assert [clip.p_not_good for clip in verdict.clips] == pytest.approx([0.2, 0.6, 1.0], abs=1e-6)
    assert [clip.predicted for clip in verdict.clips] == ["good_weld", "porosity", "porosity"]
    assert (verdict.verdict, verdict.predicted, verdict.n_parts) == ("fail", "porosity", 3)
    assert verdict.score == pytest.approx(0.1, abs=1e-6)
    assert verdict.p_defect == pytest.approx(0.7310586, abs=1e-6)  # 1 / (1 + exp(-10 · 0.1))
    assert verdict.run.probabilities == pytest.approx({"good_weld": 0.4, "porosity": 0.6}, abs=1e-6)
    assert verdict.run.anomaly == pytest.approx(0.2, abs=1e-6)
    assert verdict.sha256 == sha256_file(path)


def test_verdict_is_pass_below_the_threshold(inspector, write_video):
    verdict = inspector.inspect(write_video([51] * 12))
    assert (verdict.verdict, verdict.predicted) == ("pass", "good_weld")


def test_pass_or_fail_goes_by_the_threshold_and_not_by_the_class(make_bundle, decide_from, write_video):
    path = write_video([51] * 12)  # a score of -0.3, which is a p_defect of 0.047
    strict, lax = (VideoInspector(make_bundle(str(at), decision=decide_from(at))) for at in (0.04, 0.05))
    assert [(each.predicted, each.verdict) for each in (strict.inspect(path), lax.inspect(path))] == [
        ("good_weld", "fail"),
        ("good_weld", "pass"),
    ]


def test_timeline_tells_seconds_and_millimetres_from_arc_start(moving, write_video):
    # 10 frames/s and 5 mm/s: a frame is 0.1 s and 0.5 mm; the arc begins with frame 3.
    clips = moving(5.0).inspect(write_video([None] * 3 + [51] * 8)).clips
    assert [clip.start_s for clip in clips] == pytest.approx([0.3, 0.5, 0.7])
    assert [clip.end_s for clip in clips] == pytest.approx([0.7, 0.9, 1.1])
    assert [clip.start_mm for clip in clips] == pytest.approx([0.0, 1.0, 2.0])
    assert [clip.end_mm for clip in clips] == pytest.approx([2.0, 3.0, 4.0])


def test_seconds_and_millimetres_follow_the_time_stamps(moving, write_video):
    # The recorder slows down from 10 to 2 frames/s at the sixth frame; a second is 5 mm.
    times_s = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    verdict = moving(5.0).inspect(write_video([None] * 3 + [51] * 8, "weld.mkv", times_s=times_s))
    assert [clip.start_s for clip in verdict.clips] == pytest.approx([0.3, 0.5, 1.5])
    assert [clip.start_mm for clip in verdict.clips] == pytest.approx([0.0, 1.0, 6.0])
    assert verdict.clips[1].end_mm == pytest.approx(
        (2.0 + 0.1 - 0.3) * 5
    )  # a frame is shown for a tenth, says the header
    assert verdict.run.arc_start_s == pytest.approx(0.3)
    assert verdict.timing.video_s == pytest.approx(3.1)


@pytest.mark.parametrize(
    ("trained", "is_told"), [(None, False), (10.0, False), (12.0, False), (31.0, True), (4.0, True)]
)
def test_recording_at_another_rate_than_the_models_is_told(make_bundle, description, write_video, trained, is_told):
    inspector = VideoInspector(make_bundle(input=description["input"] | {"fps": trained}), n_threads=1)
    warnings = inspector.inspect(write_video([51] * 6)).warnings
    assert [warning.startswith("rate: recorded at 10 frames/s") for warning in warnings] == [True] * is_told


def test_pause_of_the_recorder_is_told(inspector, write_video):
    (warning,) = inspector.inspect(write_video([51] * 6, "weld.mkv", times_s=[0, 0.1, 0.2, 4, 4.1, 4.2])).warnings
    assert warning.startswith("pause: no frame was seen for 3.80 s after 0.20 s")


def test_positions_are_unknown_without_travel_speed(inspector, write_video):
    verdict = inspector.inspect(write_video([51] * 8))
    assert all(clip.start_mm is None for clip in verdict.clips)
    assert verdict.travel_mm_s is None
    assert verdict.run.worst.start_mm is None


def test_each_video_has_the_speed_that_was_told_for_it(moving, write_video):
    slow, fast, untold = (write_video([51] * 6, f"{name}.avi") for name in ("slow", "fast", "untold"))
    verdicts = moving({slow: 5.0, fast: 10.0}).inspect_each([slow, fast, untold])
    assert [verdict.travel_mm_s for verdict in verdicts] == [5.0, 10.0, None]


def test_speed_that_is_told_goes_before_the_manifest(moving, inspector, write_video, tmp_path):
    path = write_video([51] * 6, "tree/c/r/r.avi")
    (tmp_path / "tree" / "manifest.csv").write_text("ROBOT_SPEED_CPM,SUBDIRS\n30,c/r\n")
    assert moving(2.0).inspect(path).travel_mm_s == 2.0
    assert inspector.inspect(path).travel_mm_s == moving({}).inspect(path).travel_mm_s == 5.0


def test_worst_stretch_is_where_the_red_frames_are(moving, write_video):
    worst = moving(10.0).inspect(write_video([0] * 8 + [255] * 6 + [0] * 8)).run.worst
    # Windows 6-9 to 12-15 are at least half red; a frame is 1 mm.
    assert (worst.start_mm, worst.end_mm) == pytest.approx((6.0, 16.0))
    assert worst.predicted == "porosity"
    assert worst.p_not_good == pytest.approx(1.0)


@pytest.mark.parametrize("levels", [[None] * 20, [51] * 3], ids=["dark", "shorter_than_a_window"])
def test_video_without_a_clip_is_no_pass(inspector, write_video, levels):
    verdict = inspector.inspect(write_video(levels))
    assert verdict.verdict == "no_arc"
    assert (verdict.score, verdict.p_defect, verdict.predicted, verdict.n_parts) == (None, None, None, 0)


def test_frame_size_may_differ_from_video_to_video(inspector, write_video):
    for size in ((48, 64), (90, 50)):
        verdict = inspector.inspect(write_video([102] * 6, name=f"{size}.avi", size=size))
        assert verdict.score == pytest.approx(-0.1, abs=1e-6)


def test_second_video_does_not_remember_the_first(inspector, write_video):
    red, dull = write_video([255] * 8, name="red.avi"), write_video([51] * 8, name="dull.avi")
    alone = inspector.inspect(dull).run
    inspector.inspect(red)
    assert inspector.inspect(dull).run == alone


def test_video_cut_short_gets_no_verdict(inspector, write_video):
    path = write_video([51] * 40)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeldError, match=r"weld\.avi: ends after \d+ of 40 frames"):
        inspector.inspect(path)


def test_result_that_is_not_a_number_gets_no_verdict(make_bundle, write_video):
    # No comparison with NaN is true: without the check this would be a pass.
    broken = make_bundle(replace=("score = Sub(mean_red, half)", "score = Log(minus)"))
    inspector = VideoInspector(load_bundle(broken), n_threads=1)
    with pytest.raises(WeldError, match="'score' is not finite"):
        inspector.inspect(write_video([51] * 6))


def test_real_time_factor_is_network_time_over_arc_time(inspector, write_video):
    timing = inspector.inspect(write_video([None] * 30 + [51] * 8)).timing
    assert timing.video_s == pytest.approx(3.8)
    assert timing.real_time_factor == pytest.approx(timing.network_s / (3 * 2 / 10))


def test_videos_of_a_folder_are_found_and_a_broken_one_does_not_lose_the_others(inspector, write_video, tmp_path):
    write_video([255] * 8, "films/b.avi")
    (tmp_path / "films" / "a.avi").write_bytes(b"")
    (tmp_path / "films" / "notes.txt").touch()
    broken, whole, missing = inspector.inspect_each(inspector.find([tmp_path / "films", tmp_path / "*.mp4"]))
    assert isinstance(broken, NotInspected)
    assert "0 bytes" in broken.error
    assert (whole.path, whole.verdict) == (str(tmp_path / "films" / "b.avi"), "fail")
    assert "matches no video" in missing.error


def test_image_bytes_from_stdin_are_no_video(inspector):
    (entry,) = inspector.inspect_each(inspector.find([Path("-")]))
    assert (entry.path, entry.error) == ("-", "a video is not read from stdin; name its file")


def test_openvino_judges_videos_as_onnxruntime_does(bundle_folder, write_video):
    path = write_video([None] * 3 + [51] * 6 + [204] * 6)
    ours, theirs = (
        VideoInspector(bundle_folder, engine=engine).inspect(path) for engine in ("onnxruntime", "openvino")
    )
    assert (theirs.verdict, theirs.predicted, theirs.n_parts) == (ours.verdict, ours.predicted, ours.n_parts)
    assert theirs.score == pytest.approx(ours.score, abs=1e-5)
    assert [clip.p_not_good for clip in theirs.clips] == pytest.approx(
        [clip.p_not_good for clip in ours.clips], abs=1e-5
    )


def test_json_has_the_run_beside_the_path(inspector, write_video):
    verdict = inspector.inspect(write_video([51] * 6))
    value = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert value["verdict"] == "pass"
    assert set(value) == {
        *("path", "sha256", "travel_mm_s", "clips", "timing", "warnings"),
        *(field.name for field in dataclasses.fields(verdict.run)),
    }
    assert value["clips"][0]["probabilities"] == pytest.approx({"good_weld": 0.8, "porosity": 0.2}, abs=1e-6)


def test_real_recording_is_inspected_to_its_end(moving, real_data):
    run = "overlap_1_03-22-23_BSK46/03-22-23-0001-06"
    verdict = moving(5.0).inspect(real_data / "intel_robotic_welding" / run / f"{run.split('/')[1]}.avi")
    # 669 frames at 31/s, about half of them dark; its clips have the size of the tiny bundle's window.
    assert verdict.timing.video_s == pytest.approx(669 / 31)
    assert 5 < verdict.run.arc_start_s < 7
    assert 15 < verdict.clips[-1].end_s < 18
    assert verdict.clips[-1].end_mm == pytest.approx((verdict.clips[-1].end_s - verdict.run.arc_start_s) * 5.0)
