"""Cameras and network streams as frames with their times, through FFmpeg."""

import errno
import re
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.decode import Video
from weld_pipeline.media.recordings.containers import CODEC_ERRORS, RAW_STREAMS, choose_track, reason
from weld_pipeline.media.recordings.frame_decoder import FrameDecoder
from weld_pipeline.media.recordings.timing import FrameClock, TimedFrame

# FFmpeg's name for the cameras of an operating system.
_CAMERA_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_OPEN_S, _READ_S = 10.0, 5.0
_MICROSECOND = Fraction(1, 1_000_000)


class Camera:
    """An open camera or network stream; a context manager like `Video`.

    Frames are timed by the stream's time stamps. A stream without any (JPEG images over HTTP, raw H.264) is timed by the
    arrival of its frames: what FFmpeg makes up for it goes by a rate that nobody announced.
    """

    def __init__(self, name: str, *, container_format: str | None = None) -> None:
        """Open a device, or a URL where no format is given.

        Raises:
            WeldError: If it cannot be opened or gives no video.
        """
        self.name = re.sub(r"(?<=://)[^/@]*@", "", name)  # without the password
        try:
            self._container = av.open(
                name, format=container_format, timeout=(_OPEN_S, _READ_S), metadata_errors="replace"
            )
        except CODEC_ERRORS as error:
            hint = "is it plugged in, free, and named as FFmpeg names it?"
            raise WeldError(f"camera {self.name}: cannot be opened ({reason(error)}); {hint}") from error
        # The first frame was read to open the stream.
        self._arrivals_us = chain([_now_us()], iter(_now_us, None))
        try:
            track, self._choice = choose_track(self._container, self.name)
        except WeldError as error:
            self._container.close()
            raise WeldError(f"camera {self.name}: gives no video that can be decoded; name another source") from error
        is_timed = self._container.format.name not in RAW_STREAMS
        rates = [rate for rate in (track.average_rate, track.guessed_rate) if rate]
        self._clock = FrameClock(tick_s=track.time_base if is_timed else _MICROSECOND, rates=rates if is_timed else [])
        self._decoder = FrameDecoder(
            self._container,
            track,
            clock=self._clock,
            path=self.name,
            arrival=None if is_timed else self._arrivals_us.__next__,
        )

    def frames(self) -> Iterator[TimedFrame]:
        """Yield frames as they come, to the end of the stream; only once.

        Raises:
            WeldError: If the stream breaks off or sends nothing for five seconds.
        """
        yield from self._decoder.frames()
        failure = self._decoder.failure
        if failure is not None and not self._is_end(failure):
            raise WeldError(
                f"camera {self.name}: broke off after {self._decoder.n_frames} frames ({reason(failure)}); "
                "check cable and power, start again"
            ) from failure

    def _is_end(self, failure: BaseException) -> bool:
        # A stream over HTTP has no announced length: FFmpeg calls its end an error of input.
        return self.name.startswith(("http://", "https://")) and getattr(failure, "errno", None) == errno.EIO

    @property
    def fps(self) -> float | None:
        """Typical frame rate by the times so far [1/s]; None where neither they nor the camera tell it."""
        return self._clock.fps

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about the frames so far."""
        n_bad = self._decoder.n_bad
        lost = f"lost_frames: {n_bad} frames did not decode or are corrupt; check cable and network"
        return self._choice + self._clock.warnings + ((lost,) if n_bad else ())

    def close(self) -> None:
        """Release the device."""
        self._container.close()

    def __enter__(self) -> "Camera":  # noqa: PYI034 - the shape checker of the tests refuses Self here
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _now_us() -> int:
    return time.monotonic_ns() // 1000


def open_source(source: str) -> Video | Camera:
    """Return an open file, camera or stream.

    Args:
        source: A file; a camera's number; a device such as `/dev/video0`; a URL such as `rtsp://…`; or
            `<FFmpeg format>:<name>`, e.g. `dshow:video=USB Camera`.
    """
    if Path(source).is_file():  # also one with a colon in its name
        return Video(source)
    if "://" in source:
        return Camera(source)
    system = _CAMERA_FORMATS.get(sys.platform, "v4l2")
    if source.isdecimal():
        return Camera(f"/dev/video{source}" if system == "v4l2" else source, container_format=system)
    if source.startswith("/dev/"):
        return Camera(source, container_format=system)
    prefix, colon, name = source.partition(":")
    if colon and prefix in av.formats_available | {"v4l2"}:
        return Camera(name, container_format=prefix)
    return Video(source)  # says that there is no such file
