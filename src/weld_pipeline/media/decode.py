"""Video files as a stream of frames, one at a time."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from weld_pipeline.core.errors import WeldError


class Video:
    """An open video file; a context manager.

    Attributes:
        fps: Frame rate of the container [1/s].
        n_frames_declared: Frame count in the header, 0 if there is none; `frames` does not rely on it.
    """

    def __init__(self, path: Path | str) -> None:
        """Open `path`, a file or a device FFmpeg can read.

        Raises:
            WeldError: If it is missing, empty or not a video.
        """
        self.path = Path(path)
        if not self.path.exists():
            raise WeldError(f"video {path}: no such file; check the path")
        if self.path.is_file() and self.path.stat().st_size == 0:
            raise WeldError(f"video {path}: the file is empty (0 bytes); copy it again from the recorder")
        try:
            self._container = av.open(str(path))
        except FFmpegError as error:
            raise WeldError(f"video {path}: cannot be opened ({error.strerror}); is it a video file?") from error
        if not self._container.streams.video:
            self._container.close()
            raise WeldError(f"video {path}: holds no video stream; is it a video file?")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or Fraction(0))
        self.width = self._stream.codec_context.width
        self.height = self._stream.codec_context.height
        self.n_frames_declared = self._stream.frames
        if self.fps <= 0 or self.width <= 0 or self.height <= 0:
            self.close()
            raise WeldError(
                f"video {path}: its header gives no frame rate or size; re-encode it, for instance with FFmpeg"
            )

    def frames(self) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
        """Yield every frame as RGB, in order, decoded as it is asked for.

        Raises:
            WeldError: If the stream breaks off inside a frame; frames before it have been yielded.
        """
        n_decoded = 0
        # One converter serves all frames: setting up its tables for each takes twice as long as the conversion.
        converter = VideoReformatter()
        try:
            for frame in self._container.decode(self._stream):
                yield converter.reformat(frame, format="rgb24").to_ndarray()
                n_decoded += 1
        except FFmpegError as error:
            raise WeldError(
                f"video {self.path}: broke off after {n_decoded} of {self.n_frames_declared or 'unknown'} frames "
                f"({error.strerror}); re-encode it or record it again"
            ) from error

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def __enter__(self) -> "Video":  # noqa: PYI034 - the shape checker of the tests refuses Self here
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
