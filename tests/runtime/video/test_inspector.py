import dataclasses
import json

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.video.inspector import VideoInspector


@pytest.fixture
def inspector(bundle_folder):
    return VideoInspector(load_bundle(bundle_folder), n_threads=1)


def test_verdict_is_the_mean_over_the_clips(inspector, write_video):
    # Windows of 4 frames every 2, from frame 3: all at 51/255 = 0.2, half of them at 1, all at 1.
    path = write_video([None] * 3 + [51] * 4 + [255] * 4)
    verdict = inspector.inspect(path)
    assert [clip.start_frame for clip in verdict.clips] == [3, 5, 7]
    assert [clip.p_not_good for clip in verdict.clips] == pytest.approx([0.2, 0.6, 1.0], abs=1e-6)
    assert [clip.predicted for clip in verdict.clips] == ["good_weld", "porosity", "porosity"]
    assert verdict.decision.p_defect == pytest.approx(0.6, abs=1e-6)
    assert verdict.decision.verdict == "fail"
    assert verdict.decision.predicted == "porosity"
    assert verdict.decision.probabilities == pytest.approx({"good_weld": 0.4, "porosity": 0.6}, abs=1e-6)
    assert verdict.decision.anomaly == pytest.approx(0.2, abs=1e-6)
    assert verdict.decision.n_clips == 3
    assert verdict.sha256 == sha256_file(path)


def test_verdict_is_pass_below_the_threshold(inspector, write_video):
    decision = inspector.inspect(write_video([51] * 12)).decision
    assert (decision.verdict, decision.predicted) == ("pass", "good_weld")


def test_timeline_tells_seconds_and_millimetres_from_arc_start(inspector, write_video):
    # 10 frames/s and 5 mm/s: a frame is 0.1 s and 0.5 mm; the arc begins with frame 3.
    clips = inspector.inspect(write_video([None] * 3 + [51] * 8), travel_mm_s=5.0).clips
    assert [clip.start_s for clip in clips] == pytest.approx([0.3, 0.5, 0.7])
    assert [clip.end_s for clip in clips] == pytest.approx([0.7, 0.9, 1.1])
    assert [clip.start_mm for clip in clips] == pytest.approx([0.0, 1.0, 2.0])
    assert [clip.end_mm for clip in clips] == pytest.approx([2.0, 3.0, 4.0])


def test_positions_are_unknown_without_travel_speed(inspector, write_video):
    verdict = inspector.inspect(write_video([51] * 8))
    assert all(clip.start_mm is None for clip in verdict.clips)
    assert verdict.decision.worst.start_mm is None


def test_worst_stretch_is_where_the_red_frames_are(inspector, write_video):
    verdict = inspector.inspect(write_video([0] * 8 + [255] * 6 + [0] * 8), travel_mm_s=10.0)
    # Windows 6-9 to 12-15 are at least half red; a frame is 1 mm.
    assert (verdict.decision.worst.start_mm, verdict.decision.worst.end_mm) == pytest.approx((6.0, 16.0))
    assert verdict.decision.worst.predicted == "porosity"
    assert verdict.decision.worst.p_not_good == pytest.approx(1.0)


@pytest.mark.parametrize("levels", [[None] * 20, [51] * 3], ids=["dark", "shorter_than_a_window"])
def test_video_without_a_clip_is_no_pass(inspector, write_video, levels):
    decision = inspector.inspect(write_video(levels)).decision
    assert decision.verdict == "no_arc"
    assert (decision.p_defect, decision.predicted, decision.n_clips) == (None, None, 0)


def test_frame_size_may_differ_from_video_to_video(inspector, write_video):
    for size in ((48, 64), (90, 50)):
        decision = inspector.inspect(write_video([102] * 6, name=f"{size}.avi", size=size)).decision
        assert decision.p_defect == pytest.approx(0.4, abs=1e-6)


def test_second_video_does_not_remember_the_first(inspector, write_video):
    red, dull = write_video([255] * 8, name="red.avi"), write_video([51] * 8, name="dull.avi")
    alone = inspector.inspect(dull).decision
    inspector.inspect(red)
    assert inspector.inspect(dull).decision == alone


def test_video_cut_short_gets_no_verdict(inspector, write_video):
    path = write_video([51] * 40)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeldError, match=r"weld\.avi: (ends|broke off) after \d+ of 40 frames"):
        inspector.inspect(path)


def test_result_that_is_not_a_number_gets_no_verdict(make_bundle, write_video):
    # NaN ≥ 0.5 is False: without the check this would be a pass.
    broken = make_bundle(replace=("p_defect = Div(latent_sum_out, n_clips_out)", "p_defect = Log(minus)"))
    inspector = VideoInspector(load_bundle(broken), n_threads=1)
    with pytest.raises(WeldError, match="is not finite"):
        inspector.inspect(write_video([51] * 6))


def test_real_time_factor_is_network_time_over_arc_time(inspector, write_video):
    timing = inspector.inspect(write_video([None] * 30 + [51] * 8)).timing
    assert timing.video_s == pytest.approx(3.8)
    assert timing.real_time_factor == pytest.approx(timing.network_s / (3 * 2 / 10))


def test_json_has_the_decision_beside_the_path(inspector, write_video):
    verdict = inspector.inspect(write_video([51] * 6))
    value = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert value["verdict"] == "pass"
    assert set(value) == {
        *("path", "sha256", "travel_mm_s", "clips", "timing"),
        *(field.name for field in dataclasses.fields(verdict.decision)),
    }
    assert value["clips"][0]["probabilities"] == pytest.approx({"good_weld": 0.8, "porosity": 0.2}, abs=1e-6)


def test_real_recording_is_inspected_to_its_end(inspector, real_data):
    run = "overlap_1_03-22-23_BSK46/03-22-23-0001-06"
    verdict = inspector.inspect(real_data / "intel_robotic_welding" / run / f"{run.split('/')[1]}.avi", travel_mm_s=5.0)
    # 669 frames at 31/s, about half of them dark; its clips have the size of the tiny bundle's window.
    assert verdict.timing.video_s == pytest.approx(669 / 31)
    assert 5 < verdict.decision.arc_start_s < 7
    assert 15 < verdict.clips[-1].end_s < 18
    assert verdict.clips[-1].end_mm == pytest.approx((verdict.clips[-1].end_s - verdict.decision.arc_start_s) * 5.0)
