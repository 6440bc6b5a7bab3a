"""Video files as a stream of frames with their times, one at a time."""

import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from weld_pipeline.media.image_errors import MAX_PIXELS
from weld_pipeline.media.recordings.containers import (
    RAW_STREAMS,
    VideoError,
    choose_track,
    declared_end_s,
    open_container,
    tells_own_length,
)
from weld_pipeline.media.recordings.cut_off import missing_bytes
from weld_pipeline.media.recordings.frame_decoder import FrameDecoder
from weld_pipeline.media.recordings.timing import FrameClock, TimedFrame

# Share of the length the header claims that must be there: headers are off by a frame or two.
MIN_DECODED_FRACTION = 0.99
_SLACK_FRAMES = 2.5


class Video:
    """An open video file whose first frame is decoded; a context manager.

    Attributes:
        width: Width of the upright frames [px].
        height: Height of the upright frames [px].
    """

    def __init__(self, path: Path | str, *, max_pixels: int = MAX_PIXELS) -> None:
        """Open `path`.

        Args:
            path: A regular file.
            max_pixels: Largest frame that is decoded [px].

        Raises:
            VideoError: If it is missing, empty, not a video, or no frame of it can be decoded.
        """
        self.path = Path(path)
        _check_file(self.path)
        self._container = open_container(self.path)
        try:
            self._open(max_pixels)
        except BaseException:
            self.close()
            raise

    def _open(self, max_pixels: int) -> None:
        self._track, self._choice = choose_track(self._container, self.path)
        context = self._track.codec_context
        if context.width * context.height > max_pixels:
            size = f"frames of {context.width}×{context.height} px are above the limit of {max_pixels} px"
            raise VideoError("too_large", self.path, f"{size}; record it smaller, or cut it to the weld")
        context.thread_type = "AUTO"
        # A decoder told to explode says what it would otherwise paint over.
        # Its own limit, with room for the padding of its buffers, holds where the header lies about the size.
        context.options = {"err_detect": "explode", "max_pixels": str(max_pixels + max_pixels // 10 + (1 << 20))}
        rates = [rate for rate in (self._track.average_rate, self._track.guessed_rate) if rate]
        self._kind = self._container.format.name
        self._clock = FrameClock(tick_s=None if self._kind in RAW_STREAMS else self._track.time_base, rates=rates)
        self._declared_s = declared_end_s(self._container, self._track)
        self._decoder = FrameDecoder(self._container, self._track, clock=self._clock, path=self.path)
        self._frames = self._decoder.frames()
        first = next(self._frames, None)
        if first is None:
            what = f"no frame decodes{self._decoder.why()}; is it a video file?"
            raise self._truncation(MIN_DECODED_FRACTION) or VideoError("not_a_video", self.path, what)
        self.height, self.width = first.image.shape[:2]
        self._frames = chain([first], self._frames)

    def frames(self) -> Iterator[TimedFrame]:
        """Yield every frame in order, decoded as it is asked for; only once.

        Raises:
            VideoError: If a frame could not be decoded or changed its size; all others have been yielded.
        """
        yield from self._frames
        if self._decoder.first_bad is not None or self._decoder.breaks_off:
            raise self._truncation(MIN_DECODED_FRACTION) or self._damage()

    def check_complete(self, min_decoded_fraction: float = MIN_DECODED_FRACTION) -> None:
        """Refuse a video that ended early, once its frames were read: what nobody saw is not a pass.

        Args:
            min_decoded_fraction: Share of the length the header claims that must be there [0..1].

        Raises:
            VideoError: If it is shorter than that, cut off inside a packet, or frames of it did not decode.
        """
        if problem := self._truncation(min_decoded_fraction):
            raise problem
        if self._decoder.n_lost > max(_SLACK_FRAMES, (1 - min_decoded_fraction) * self._decoder.n_shown):
            raise self._damage()

    def _truncation(self, min_decoded_fraction: float) -> VideoError | None:
        n_frames, end_s, declared_s = self._decoder.n_frames, self._clock.end_s, self._declared_s
        repair = "copy it again from the recorder, or re-encode it to keep what is there"
        if declared_s is not None:
            if not tells_own_length(self._container, self._track):
                end_s = max(end_s, self._decoder.other_end_s)
            slack_s = max(_SLACK_FRAMES / (self.fps or 1), (1 - min_decoded_fraction) * declared_s)
            if end_s < declared_s - slack_s:
                lengths = f"{end_s:.1f} of {declared_s:.1f} s"
                count = f"{n_frames} of {round(declared_s * (self.fps or 0))} frames"
                return VideoError("truncated", self.path, f"ends after {count}, {lengths}; {repair}")
        elif self._decoder.ends_badly:
            why = self._decoder.why()
            return VideoError("truncated", self.path, f"breaks off inside frame {n_frames + 1}{why}; {repair}")
        if cut := missing_bytes(self.path, self._kind):
            return VideoError("truncated", self.path, f"is cut off after {n_frames} frames: {cut}; {repair}")
        return None

    def _damage(self) -> VideoError:
        decoder = self._decoder
        where = "" if decoder.first_bad is None else f", the first near frame {decoder.first_bad}"
        n_bad = max(decoder.n_bad, decoder.n_lost)
        what = f"{n_bad} of {decoder.n_shown} frames cannot be decoded{where}{decoder.why()}"
        return VideoError("damaged", self.path, f"{what}; copy it again from the recorder, or re-encode it")

    @property
    def fps(self) -> float | None:
        """Typical frame rate by the time stamps so far [1/s]; None where neither they nor the header tell it."""
        return self._clock.fps

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the end of the last one that was read [s]."""
        return self._clock.end_s

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about choice of track and times of the frames that were read."""
        return self._choice + self._clock.warnings

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def __enter__(self) -> "Video":  # noqa: PYI034 - the shape checker of the tests refuses Self here
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        missing = f"no such file ({error.strerror}); check the path"
        raise VideoError("not_a_video", path, missing) from error
    if not stat.S_ISREG(status.st_mode):
        raise VideoError("not_a_video", path, "is no regular file; name a video file")
    if status.st_size == 0:
        raise VideoError("not_a_video", path, "the file is empty (0 bytes); copy it again from the recorder")
