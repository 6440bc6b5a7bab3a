"""Cameras and network streams as frames, through FFmpeg."""

import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.decode import Video

# FFmpeg's name for the cameras of an operating system.
_CAMERA_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_OPEN_S, _READ_S = 10.0, 5.0


class Camera:
    """An open camera or network stream; a context manager like `Video`.

    Attributes:
        fps: Frame rate it announces [1/s].
    """

    def __init__(self, name: str, *, container_format: str | None = None) -> None:
        """Open a device, or a URL where no format is given.

        Raises:
            WeldError: If it cannot be opened or gives no video.
        """
        self.name = name
        try:
            self._container = av.open(name, format=container_format, timeout=(_OPEN_S, _READ_S))
        except (FFmpegError, ValueError, OSError) as error:
            hint = "is it plugged in, free, and named as FFmpeg names it?"
            raise WeldError(f"camera {name}: cannot be opened ({error}); {hint}") from error
        if not self._container.streams.video:
            self._container.close()
            raise WeldError(f"camera {name}: gives no video; name another source")
        self._stream = self._container.streams.video[0]
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        if self.fps <= 0:
            self.close()
            raise WeldError(f"camera {name}: announces no frame rate; set one in its driver")

    def frames(self) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
        """Yield frames as RGB as they come, to the end of the stream.

        Raises:
            WeldError: If the stream breaks off or sends nothing for five seconds.
        """
        n_frames = 0
        converter = VideoReformatter()
        try:
            for frame in self._container.decode(self._stream):
                yield converter.reformat(frame, format="rgb24").to_ndarray()
                n_frames += 1
        except FFmpegError as error:
            raise WeldError(
                f"camera {self.name}: broke off after {n_frames} frames ({error.strerror}); check cable and power, start again"
            ) from error

    def close(self) -> None:
        """Release the device."""
        self._container.close()

    def __enter__(self) -> "Camera":  # noqa: PYI034 - the shape checker of the tests refuses Self here
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(source: str) -> Video | Camera:
    """Return an open file, camera or stream.

    Args:
        source: A file; a camera's number; a device such as `/dev/video0`; a URL such as `rtsp://…`; or
            `<FFmpeg format>:<name>`, e.g. `dshow:video=USB Camera`.
    """
    if "://" in source:
        return Camera(source)
    if Path(source).is_file():
        return Video(source)
    system = _CAMERA_FORMATS.get(sys.platform, "v4l2")
    if source.isdecimal():
        return Camera(f"/dev/video{source}" if system == "v4l2" else source, container_format=system)
    if source.startswith("/dev/"):
        return Camera(source, container_format=system)
    prefix, colon, name = source.partition(":")
    if colon and prefix in av.formats_available | {"v4l2"}:
        return Camera(name, container_format=prefix)
    return Video(source)  # says that there is no such file
