import av
import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.decode import Video


def encode(path, n_frames, *, size=(64, 48), rate=31):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(n_frames):
            image = np.full((size[1], size[0], 3), 8 * index % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_frames_come_in_order_as_rgb(tmp_path):
    with Video(encode(tmp_path / "a.avi", 20)) as video:
        frames = list(video.frames())
        assert (video.fps, video.width, video.height) == (31.0, 64, 48)
    assert len(frames) == 20
    assert frames[0].shape == (48, 64, 3)
    means = [float(frame.mean()) for frame in frames]
    np.testing.assert_allclose(means, [8 * i for i in range(20)], atol=6)  # MPEG-4 is lossy


def test_missing_file_is_named():
    with pytest.raises(WeldError, match=r"nowhere\.avi: no such file"):
        Video("nowhere.avi")


def test_empty_file_is_told_apart_from_a_broken_one(tmp_path):
    (tmp_path / "a.avi").touch()
    with pytest.raises(WeldError, match="empty"):
        Video(tmp_path / "a.avi")


def test_text_renamed_to_avi_is_no_video(tmp_path):
    (tmp_path / "a.avi").write_text("not a video " * 100)
    with pytest.raises(WeldError, match="is it a video file"):
        Video(tmp_path / "a.avi")


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(WeldError, match="no video stream"):
        Video(tmp_path / "a.wav")


def test_file_cut_short_gives_fewer_frames_than_it_claims(tmp_path):
    path = encode(tmp_path / "a.avi", 60)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with Video(path) as video:
        n_decoded = 0
        try:
            for _ in video.frames():
                n_decoded += 1
        except WeldError as error:
            assert "broke off" in str(error)  # noqa: PT017 - some FFmpeg builds stop quietly instead
    assert 0 < n_decoded < 60


def test_real_recording_is_decoded_whole(real_data):
    run = real_data / "intel_robotic_welding/overlap_1_03-22-23_BSK46/03-22-23-0001-06/03-22-23-0001-06.avi"
    with Video(run) as video:
        assert (video.width, video.height, video.fps) == (960, 600, 31.0)
        assert sum(1 for _ in video.frames()) == 669
