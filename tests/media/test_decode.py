import os
import random
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from tests.media.films import KINDS, SIZE, copied, image, record, with_display_matrix
from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.decode import Video
from weld_pipeline.media.recordings.containers import VideoError


def watch(path, **options):
    """Return the frames of a complete video, and the video."""
    with Video(path, **options) as video:
        frames = list(video.frames())
        video.check_complete()
    return frames, video


def problem(path, **options):
    with pytest.raises(VideoError) as caught:
        watch(path, **options)
    return caught.value


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Bytes of a recording of 40 frames of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    return {kind: record(folder / kind, kind).read_bytes() for kind in KINDS}


def test_frames_come_in_order_as_rgb(tmp_path):
    frames, video = watch(record(tmp_path / "a.avi"))
    assert (video.fps, video.width, video.height) == (25.0, *SIZE)
    assert len(frames) == 40
    assert frames[0].image.shape == (SIZE[1], SIZE[0], 3)
    lit = [frame.image[8:20, 8:30].mean() > 200 for frame in frames]
    assert lit == [5 <= index < 35 for index in range(40)]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_recording_of_every_kind_is_complete_and_timed(recordings, tmp_path, kind):
    (tmp_path / kind).write_bytes(recordings[kind])
    frames, video = watch(tmp_path / kind)
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(40)], abs=1e-6)
    assert (video.fps, video.duration_s) == (25.0, pytest.approx(1.6))
    assert [warning.split(":")[0] for warning in video.warnings] == ["no_time_stamps"] * kind.startswith("raw")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.35, 0.6, 0.85])
def test_recording_cut_short_is_never_whole(recordings, tmp_path, kind, kept):
    content = recordings[kind]
    (tmp_path / kind).write_bytes(content[: int(kept * len(content))])
    outcome = ""
    try:
        n_frames = len(watch(tmp_path / kind)[0])
    except VideoError as error:
        outcome = error.code
    # An MP4 keeps its table at its end. Where no frame is gone, it was the index behind them.
    assert outcome in ("truncated", "not_a_video") or n_frames == 40


def test_missing_file_is_named():
    with pytest.raises(WeldError, match=r"nowhere\.avi: no such file"):
        Video("nowhere.avi")


def test_empty_file_is_told_apart_from_a_broken_one(tmp_path):
    (tmp_path / "a.avi").touch()
    with pytest.raises(WeldError, match="empty"):
        Video(tmp_path / "a.avi")


def test_folder_and_pipe_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.avi")  # opening it would wait for ever
    for path in (tmp_path, tmp_path / "pipe.avi"):
        assert "no regular file" in problem(path).what


def test_text_renamed_to_avi_is_no_video(tmp_path):
    (tmp_path / "a.avi").write_text("not a video " * 100)
    with pytest.raises(WeldError, match="is it a video file"):
        Video(tmp_path / "a.avi")


@pytest.mark.parametrize("suffix", ["wav", "mka"])
def test_sound_alone_is_no_video(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert "no container of video frames" in problem(path).what or "no video stream" in problem(path).what


@pytest.mark.parametrize(
    "playlist", ["ffconcat version 1.0\nfile whole.avi\n", "#EXTM3U\n#EXTINF:1.6,\nwhole.avi\n#EXT-X-ENDLIST\n"]
)
def test_file_that_names_other_files_is_not_opened(tmp_path, playlist):
    record(tmp_path / "whole.avi")
    for name in ("list.avi", "list.m3u8", "list.ffconcat"):
        (tmp_path / name).write_text(playlist)
        assert problem(tmp_path / name).code == "not_a_video"


def test_relative_name_with_a_colon_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "whole.avi").rename("concat:shift 2.avi")
    assert len(watch("concat:shift 2.avi")[0]) == 40


def test_title_in_another_encoding_is_no_matter(tmp_path):
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        container.metadata["title"] = "Naht Prufung"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image(0), format="rgb24")))
        container.mux(stream.encode())
    content = (tmp_path / "a.avi").read_bytes()
    assert content.count(b"Prufung") == 1
    (tmp_path / "a.avi").write_bytes(content.replace(b"Prufung", b"Pr\xfcfung"))
    assert len(watch(tmp_path / "a.avi")[0]) == 1


def test_codec_that_nobody_knows_is_named(recordings, tmp_path):
    (tmp_path / "a.avi").write_bytes(recordings["mjpeg.avi"].replace(b"MJPG", b"QQ9Z"))
    assert problem(tmp_path / "a.avi").code == "unsupported"


def test_frames_above_the_limit_are_refused_before_they_are_decoded(recordings, tmp_path):
    (tmp_path / "a.avi").write_bytes(recordings["mpeg4.avi"])
    refused = problem(tmp_path / "a.avi", max_pixels=SIZE[0] * SIZE[1] - 1)
    assert (refused.code, "96×64 px" in refused.what) == ("too_large", True)
    watch(tmp_path / "a.avi", max_pixels=SIZE[0] * SIZE[1])


def test_frames_that_change_their_size_are_refused(tmp_path):
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for index in range(6):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height = SIZE if index < 4 else (32, 32)
            encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
            frame = av.VideoFrame(encoder.width, encoder.height, "yuvj420p")
            for packet in [*encoder.encode(frame), *encoder.encode(None)]:
                packet.pts = packet.dts = index
                packet.time_base, packet.stream = Fraction(1, 25), stream
                container.mux(packet)
    refused = problem(tmp_path / "a.avi")
    assert (refused.code, "at frame 4" in refused.what) == ("frame_size", True)


def test_one_unreadable_frame_among_many_is_named_as_that(recordings, tmp_path):
    content = bytearray(recordings["mjpeg.avi"])
    starts = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xd8"]
    assert len(starts) == 40
    middle = (starts[20] + starts[21]) // 2
    content[middle : middle + 400] = bytes(400)
    (tmp_path / "a.avi").write_bytes(content)
    damaged = problem(tmp_path / "a.avi")
    assert damaged.code == "damaged"
    assert damaged.what.startswith("1 of 40 frames cannot be decoded, the first near frame")


def test_frames_before_an_edit_are_hidden_and_not_missed(tmp_path):
    cut = copied(record(tmp_path / "long.mp4", "h264.mp4"), tmp_path / "cut.mp4", shift_frames=15)
    with av.open(str(cut)) as container:
        assert container.streams.video[0].frames == 40
    frames, video = watch(cut)
    assert (len(frames), video.duration_s, frames[0].time_s) == (25, pytest.approx(1.0), 0.0)


@pytest.mark.parametrize("kind", ["mjpeg.avi", "mpeg4.avi"])
def test_frames_that_the_recorder_lost_leave_a_gap_in_time(tmp_path, kind):
    # Where time stamps jump, the writer leaves an empty chunk for each lost frame, as recorders do.
    ticks = [*range(10), *range(20, 40)]
    path = record(tmp_path / kind, kind, ticks=ticks, tick=Fraction(1, 25))
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 40
    frames, video = watch(path)
    assert [frame.time_s for frame in frames] == pytest.approx([tick / 25 for tick in ticks])
    assert (video.fps, video.duration_s) == (25.0, pytest.approx(1.6))


@pytest.mark.parametrize("kind", ["h264.mp4", "h264.mkv"])
def test_frames_of_variable_rate_are_timed_by_their_stamps(tmp_path, kind):
    ticks = np.cumsum([0, *[100, 50, 250, 100, 100] * 4]).tolist()
    frames, video = watch(record(tmp_path / kind, kind, ticks=ticks))
    assert [frame.time_s for frame in frames] == pytest.approx([tick / 1000 for tick in ticks])
    assert video.fps == pytest.approx(10.0)  # 1 / median interval


def test_announced_rate_stands_where_rounded_stamps_agree_with_it(tmp_path):
    _, video = watch(record(tmp_path / "a.mkv", "h264.mkv", rate=31))  # stamps of 0, 32, 65, 97 ms
    assert video.fps == 31.0


@pytest.mark.parametrize("kind", ["h264.mkv", "wmv2.wmv"])
def test_sound_that_goes_on_longer_is_no_missing_video(tmp_path, kind):
    codec, pixel_format, _ = KINDS[kind]
    with av.open(str(tmp_path / kind), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixel_format
        sound = container.add_stream("pcm_s16le" if kind == "h264.mkv" else "wmav2", rate=44100, layout="mono")
        sound.bit_rate = 64_000
        for index in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image(index), format="rgb24")))
        container.mux(stream.encode())
        silence = np.zeros((1, 44100), np.float32 if sound.codec_context.format.name == "fltp" else np.int16)
        for second in range(3):
            frame = av.AudioFrame.from_ndarray(silence, format=sound.codec_context.format.name, layout="mono")
            frame.rate, frame.pts = 44100, second * 44100
            fifo = av.AudioFifo()
            fifo.write(frame)
            for part in fifo.read_many(sound.codec_context.frame_size or 1024):
                container.mux(sound.encode(part))
        container.mux(sound.encode())
    assert len(watch(tmp_path / kind)[0]) == 20


@pytest.mark.parametrize(
    ("matrix", "seen"),
    [
        ((0, 1, -1, 0), lambda stored: np.rot90(stored, -1)),  # a phone held upright: a quarter turn clockwise
        ((-1, 0, 0, -1), lambda stored: np.rot90(stored, 2)),
        ((0, -1, 1, 0), lambda stored: np.rot90(stored, 1)),
        ((-1, 0, 0, 1), lambda stored: stored[:, ::-1]),
        ((0, 1, 1, 0), lambda stored: stored.swapaxes(0, 1)),
    ],
    ids=["90", "180", "270", "mirrored", "transposed"],
)
def test_frames_are_turned_as_the_container_says(recordings, tmp_path, matrix, seen):
    (tmp_path / "a.mov").write_bytes(recordings["mjpeg.mov"])
    stored = watch(tmp_path / "a.mov")[0][10].image
    frames, video = watch(with_display_matrix(tmp_path / "a.mov", matrix))
    np.testing.assert_array_equal(frames[10].image, seen(stored))
    assert (video.height, video.width) == seen(stored).shape[:2]


def test_turn_that_would_make_up_pixels_is_refused(recordings, tmp_path):
    (tmp_path / "a.mov").write_bytes(recordings["mjpeg.mov"])
    assert problem(with_display_matrix(tmp_path / "a.mov", (0.7, 0.7, -0.7, 0.7))).code == "unsupported"


@pytest.mark.parametrize(("marks", "judged"), [((0, 1), "arc"), ((1, 0), "desk"), ((0, 0), "desk"), ((1, 1), "desk")])
def test_track_that_the_container_marks_is_judged_and_the_choice_told(tmp_path, marks, judged):
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in marks]
        for stream, mark in zip(streams, marks, strict=True):
            stream.width, stream.height, stream.pix_fmt = *SIZE, "bgr0"
            stream.disposition = Disposition(mark)
        for index in range(3):
            for stream, lead in zip(streams, (99, 0), strict=True):  # the first looks at the operator's desk
                frame = av.VideoFrame.from_ndarray(image(index, lead=lead), format="rgb24").reformat(format="bgr0")
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    frames, video = watch(tmp_path / "two.mkv")
    assert (frames[0].image[8:20, 8:30].mean() > 200) == (judged == "arc")
    (warning,) = video.warnings
    assert f"of 2 video tracks number {1 + (judged == 'arc')}" in warning


def test_cover_picture_is_never_the_video(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        cover, stream = container.add_stream("mjpeg", rate=25), container.add_stream("libx264", rate=25)
        cover.disposition = Disposition.attached_pic
        for each, pixel_format in ((cover, "yuvj420p"), (stream, "yuv420p")):
            each.width, each.height, each.pix_fmt = *SIZE, pixel_format
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(image(index), format="rgb24")
            container.mux(stream.encode(frame))
            if index == 0:
                container.mux([*cover.encode(frame.reformat(format="yuvj420p")), *cover.encode()])
        container.mux(stream.encode())
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert len(container.streams.video) == 2
    frames, video = watch(tmp_path / "a.mp4")
    assert (len(frames), video.warnings) == (10, ())


def test_damage_anywhere_is_one_reason_or_none_and_no_traceback(recordings, tmp_path):
    """Bytes changed, lost, doubled and moved: each file is read to an end, or refused with a reason."""
    chance = random.Random(7)
    outcomes = set()
    for kind, whole in sorted(recordings.items()):
        for turn in range(8):
            content = bytearray(whole)
            at = chance.randrange(len(content) if turn % 2 else 600)
            n_bytes = chance.choice([1, 4, 60, 800])
            change = turn % 4
            if change == 0:
                content[at : at + n_bytes] = chance.randbytes(n_bytes)
            elif change == 1:
                content[at : at + n_bytes] = bytes(n_bytes)
            elif change == 2:
                del content[at : at + n_bytes]
            else:
                content = content[at:] + content[:at]
            (tmp_path / kind).write_bytes(content)
            try:
                watch(tmp_path / kind)
            except VideoError as error:
                outcomes.add(error.code)
    assert {"not_a_video", "damaged", "truncated"} <= outcomes


def test_real_recording_is_decoded_whole(real_data):
    run = real_data / "intel_robotic_welding/overlap_1_03-22-23_BSK46/03-22-23-0001-06/03-22-23-0001-06.avi"
    frames, video = watch(run)
    assert (video.width, video.height, video.fps) == (960, 600, 31.0)
    assert [frame.time_s for frame in frames] == pytest.approx([index / 31 for index in range(669)])
