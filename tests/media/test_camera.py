import pytest

from tests.fakes.jpeg_camera import JpegCamera
from tests.media.films import image, record
from weld_pipeline.core.errors import WeldError
from weld_pipeline.media import camera
from weld_pipeline.media.camera import Camera, open_source
from weld_pipeline.media.decode import Video


def test_camera_without_a_rate_is_timed_by_arrival():
    with JpegCamera([image(index) for index in range(12)], fps=20) as device, open_source(device.url) as source:
        frames = list(source.frames())
        assert isinstance(source, Camera)
        assert source.fps == pytest.approx(20, rel=0.2)  # not the 25 that FFmpeg makes up
    assert frames[0].time_s == 0
    assert frames[-1].time_s == pytest.approx(11 / 20, abs=0.12)
    assert source.warnings == ()


def test_stream_with_time_stamps_is_timed_by_them(tmp_path):
    # It arrives as fast as it is read.
    path = record(tmp_path / "a.mkv", "h264.mkv", ticks=[0, 100, 300, 400, 500, 600, 700])
    with open_source(f"file://{path}") as source:
        assert isinstance(source, Camera)
        assert [frame.time_s for frame in source.frames()] == pytest.approx([0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7])


def test_camera_that_falls_silent_breaks_off(monkeypatch):
    monkeypatch.setattr(camera, "_READ_S", 0.3)
    with (
        JpegCamera([image(index) for index in range(9)], fps=50, hangs_after=5) as device,
        open_source(device.url) as source,
        pytest.raises(WeldError, match="broke off after 5 frames"),
    ):
        list(source.frames())


def test_frame_that_does_not_decode_is_lost_and_told():
    images = [image(index) for index in range(6)]
    with JpegCamera(images, fps=50) as device:
        device.jpegs[3] = device.jpegs[3][:200]
        with open_source(device.url) as source:
            assert sum(1 for _ in source.frames()) == 5
    (warning,) = source.warnings
    assert warning.startswith("lost_frames: 1 ")


def test_password_is_in_no_error():
    with pytest.raises(WeldError, match=r"127\.0\.0\.1") as refused:
        open_source("rtsp://user:secret@127.0.0.1:9/none")
    assert "secret" not in str(refused.value)


def test_file_with_a_colon_in_its_name_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "whole.avi").rename("lavfi:shift 2.avi")
    with open_source("lavfi:shift 2.avi") as source:
        assert isinstance(source, Video)
