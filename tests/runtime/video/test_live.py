import threading
import time

import numpy as np
import pytest

from tests.fakes.jpeg_camera import JpegCamera
from weld_pipeline.core.errors import WeldError
from weld_pipeline.media import camera
from weld_pipeline.media.camera import Camera, open_source
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.video.inspector import VideoInspector
from weld_pipeline.runtime.video.live import LiveInspection

WELD = [None] * 3 + [51] * 8 + [204] * 8 + [None] * 5


@pytest.fixture
def inspector(bundle_folder):
    return VideoInspector(load_bundle(bundle_folder), n_threads=1)


def run(inspector, source, *, slow_s=0.0, **options):
    with LiveInspection(inspector, open_source(source), **options) as inspection:
        clips = []
        for clip in inspection.clips():
            clips.append(clip)
            time.sleep(slow_s)
        return clips, inspection.report()


def test_file_gives_what_inspect_gives(inspector, write_video):
    path = write_video(WELD)
    whole = VideoInspector(inspector.bundle, n_threads=1, travel_mm_s=5.0).inspect(path)
    clips, report = run(inspector, str(path), travel_mm_s=5.0)
    assert tuple(clip.result for clip in clips) == whole.clips
    assert report.run == whole.run
    assert report.n_frames == len(WELD)


def test_file_waits_for_a_slow_network(inspector, write_video):
    path = write_video(WELD)
    clips, report = run(inspector, str(path), slow_s=0.05)
    assert report.n_dropped_clips == 0
    assert len(clips) == len(inspector.inspect(path).clips)


def test_camera_does_not_wait_and_the_oldest_clips_are_dropped_and_counted(inspector, write_video):
    # 10 frames/s and a clip every 2 frames: 5 clips/s come, a consumer that takes 0.5 s sees about 2 of them.
    path = write_video([51] * 14)
    whole = inspector.inspect(path).clips
    clips, report = run(inspector, str(path), slow_s=0.5, is_paced=True)
    assert 0 < report.n_dropped_clips < len(whole)
    assert len(clips) + report.n_dropped_clips == len(whole)
    assert report.run.n_clips == len(clips)
    # The newest is never dropped, so that answers do not lag further and further behind.
    assert clips[-1].result == whole[-1]


def test_paced_file_takes_its_own_time(inspector, write_video):
    began = time.monotonic()
    run(inspector, str(write_video([51] * 6)), is_paced=True)
    assert time.monotonic() - began >= 0.5  # six frames at 10 frames/s, the first at once


def test_stopped_inspection_reports_what_it_saw(inspector, write_video):
    with LiveInspection(inspector, open_source(str(write_video([51] * 200))), is_paced=True) as inspection:
        next(inspection.clips())
        report = inspection.report()
    assert report.run.n_clips == 1
    assert report.run.verdict == "pass"
    assert "frame-reader" not in {thread.name for thread in threading.enumerate()}


def test_source_without_arc_is_no_pass(inspector, write_video):
    clips, report = run(inspector, str(write_video([None] * 30)))
    assert (clips, report.run.verdict, report.max_latency_ms) == ([], "no_arc", None)


def test_file_cut_short_ends_in_an_error(inspector, write_video):
    path = write_video([51] * 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(WeldError, match=r"after .* of 40 frames"):
        run(inspector, str(path))


def test_device_by_format_and_name_is_a_camera(inspector):
    # FFmpeg's own test source stands in for a camera: ten frames of one red.
    clips, report = run(inspector, "lavfi:color=c=0xFFC800:size=64x48:rate=25:duration=0.4")
    assert report.n_frames == 10
    assert len(clips) + report.n_dropped_clips == 4
    assert clips[0].result.predicted == "porosity"


def test_camera_is_timed_by_arrival_and_its_end_gives_the_verdict(inspector):
    # 20 frames/s: six dark frames, then twelve of the arc.
    grain = np.random.default_rng(0).integers(0, 30, (18, 96, 64, 3))
    images = [(frame + ((0, 200, 0) if index >= 6 else 0)).astype(np.uint8) for index, frame in enumerate(grain)]
    with JpegCamera(images, fps=20) as device:
        clips, report = run(inspector, device.url, travel_mm_s=10.0)
    assert (report.n_frames, report.broke_off, report.run.verdict) == (18, None, "pass")
    assert report.run.arc_start_s == pytest.approx(6 / 20, abs=0.12)
    assert clips[-1].result.end_s == pytest.approx(18 / 20, abs=0.12)
    assert clips[-1].result.end_mm == pytest.approx(12 / 20 * 10, abs=1.2)


def test_camera_that_breaks_off_gives_the_verdict_of_what_was_seen_and_says_so(inspector, monkeypatch):
    monkeypatch.setattr(camera, "_READ_S", 0.3)
    images = [np.full((48, 64, 3), (51, 200, 51), np.uint8)] * 12
    with JpegCamera(images, fps=50, hangs_after=8) as device:
        _, report = run(inspector, device.url)
    assert (report.run.verdict, report.run.n_clips > 0) == ("pass", True)
    assert "broke off after 8 frames" in report.broke_off


def test_url_is_a_stream(inspector, write_video):
    path = write_video([51] * 10)
    with open_source(f"file://{path}") as source:
        assert isinstance(source, Camera)
        assert sum(1 for _ in source.frames()) == 10


@pytest.mark.parametrize("source", ["97", "/dev/video97", "rtsp://127.0.0.1:9/none"])
def test_camera_that_is_not_there_is_named(source):
    with pytest.raises(WeldError, match=r"camera .*(97|127\.0\.0\.1:9/none): cannot be opened"):
        open_source(source)


def test_file_that_is_not_there_is_named():
    with pytest.raises(WeldError, match=r"video nowhere\.avi: no such file"):
        open_source("nowhere.avi")
