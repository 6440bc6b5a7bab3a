"""Containers of video: which are opened, which of their tracks is the video, and how long they say it is."""

import errno
import re
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from weld_pipeline.core.errors import UnusableFileError

Code = Literal["not_a_video", "unsupported", "too_large", "truncated", "damaged", "frame_size"]

# PyAV's errors have no common base: FFmpeg's own, and what its bindings raise on values they did not expect.
CODEC_ERRORS = (FFmpegError, ValueError, OSError, RuntimeError, ArithmeticError, LookupError, TypeError, AssertionError)

# FFmpeg's names of containers that hold their own frames. Playlists, concatenations and image sequences name other
# files and are not among them.
_CONTAINERS = (
    "avi", "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "mpegts", "mpeg", "asf", "asf_o", "flv", "ogg",
    "mxf", "nut", "dv", "ivf", "rm", "wtv", "gxf", "lxf", "nuv", "nsv", "yuv4mpegpipe", "cine", "dhav", "amv", "smjpeg",
)  # fmt: skip
# Streams of frames alone, without a container: their frames carry no time stamps.
RAW_STREAMS = frozenset(
    (
        "h264", "hevc", "vvc", "mjpeg", "mpjpeg", "m4v", "mpegvideo", "h261", "h263", "vc1", "av1", "obu", "cavsvideo",
        "dirac",
    )
)  # fmt: skip
_LEGAL = {"format_whitelist": ",".join([*_CONTAINERS, *sorted(RAW_STREAMS)]), "protocol_whitelist": "file"}
_NOT_THE_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails

# Containers that tell the length of each track, beside AVI, which tells the number of its frames; and of the longest.
_TELL_TRACK = frozenset({"mov", "mxf"})
_TELL_LONGEST = frozenset({"matroska", "flv", "asf"})
# What is often recorded from a broadcast that ran already: what comes before the first key frame cannot be decoded.
JOINED_LATE = RAW_STREAMS | {"mpegts", "mpeg"}


class VideoError(UnusableFileError[Code]):
    """A video that cannot be used."""

    THING = "video"


def open_container(path: Path) -> InputContainer:
    """Return an open container of frames.

    Raises:
        VideoError: If the file is none, or names other files.
    """
    try:
        # `file:` keeps a colon in the name from being taken for a protocol. Titles are in any encoding.
        return av.open(f"file:{path}", options=_LEGAL, metadata_errors="replace")
    except CODEC_ERRORS as error:
        is_other = (
            isinstance(error, FFmpegError) and error.errno == errno.EINVAL
        )  # as FFmpeg calls what is not on the list
        why = "it is no container of video frames" if is_other else reason(error)
        raise VideoError("not_a_video", path, f"cannot be opened ({why}); is it a video file?") from error


def choose_track(container: InputContainer, path: object) -> tuple[VideoStream, tuple[str, ...]]:
    """Return the video track to judge, and what a person should know about the choice.

    It is the first that the container marks as default, or the first where it marks none; a cover is no video.

    Raises:
        VideoError: If there is none, or no decoder for it.
    """
    tracks = [track for track in container.streams.video if not track.disposition & _NOT_THE_VIDEO]
    if not tracks:
        raise VideoError("not_a_video", path, "holds no video stream; is it a video file?")
    defaults = [track for track in tracks if track.disposition & Disposition.default]
    chosen = (defaults or tracks)[0]
    if chosen.codec_context is None:
        raise VideoError("unsupported", path, "no decoder knows its codec; re-encode it, for instance as H.264")
    if len(tracks) == 1:
        return chosen, ()
    mark = (
        "the one marked as default"
        if len(defaults) == 1
        else "the first marked as default"
        if defaults
        else "the first"
    )
    number = tracks.index(chosen) + 1
    what = f"tracks: of {len(tracks)} video tracks number {number}, {mark}, is judged"
    return chosen, (f"{what}; split them into files to judge the others",)


def declared_end_s(container: InputContainer, track: VideoStream) -> float | None:
    """Return how long the header says the video is from its first frame on [s], or None where nothing trusted says it.

    Transport streams and raw ones tell nothing; what FFmpeg gives for them is an estimate.
    """
    kind = container.format.name.split(",")[0]
    if kind == "avi" and track.frames and track.time_base:  # its duration is mended by FFmpeg where the file is cut off
        return float(track.frames * track.time_base)
    if kind in _TELL_TRACK | {"asf"} and track.duration and track.time_base:
        return float(track.duration * track.time_base)
    # An estimate from the bit rate is given to the track as well.
    is_estimate = track.duration is not None and track.start_time is not None
    if kind not in _TELL_LONGEST or is_estimate or not container.duration:
        return None
    end_s = _tagged_end_s(track.metadata) or container.duration / av.time_base
    return end_s - float((track.start_time or 0) * (track.time_base or 0))


def tells_own_length(container: InputContainer, track: VideoStream) -> bool:
    """Return whether the declared length is that of the track itself, not of the longest one beside it."""
    kind = container.format.name.split(",")[0]
    return kind == "avi" or kind in _TELL_TRACK or _tagged_end_s(track.metadata) is not None


def _tagged_end_s(metadata: dict[str, str]) -> float | None:
    """Return the end of a Matroska track by its tag `DURATION`, 00:01:02.5, or None without one."""
    tag = next((value for key, value in metadata.items() if key.startswith("DURATION")), "")  # also DURATION-eng
    found = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", tag)
    return None if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


def reason(error: BaseException) -> str:
    """Return what a library's error says, without the file's name."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
