"""Frame decoder: packets of one video track to upright RGB frames with times, and a count of what did not decode."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from weld_pipeline.media.recordings.containers import CODEC_ERRORS, JOINED_LATE, VideoError, reason
from weld_pipeline.media.recordings.orientation import upright
from weld_pipeline.media.recordings.timing import FrameClock, TimedFrame

# Packets are generic in PyAV's stubs and not when the program runs.
_Packet = Any

# A packet this small repeats the frame before, or holds its place [bytes].
_PLACEHOLDER = 16
# Their packets may hold frames that are never shown.
_HIDE_FRAMES = frozenset({"vp8"})
# Decoders work on several packets at once, so that an error may show this many packets late.
_MAX_DELAY = 16


class FrameDecoder:
    """Decodes one track, frame by frame.

    Attributes:
        n_frames: Frames that were decoded.
        n_shown: Frames that the packets from the first key frame on hold; at least so many.
        n_bad: Packets and frames that did not decode or are flagged as corrupt.
        first_bad: Number of the frame near the first of them.
        other_end_s: End of the longest other track, from the first frame on [s].
        failure: Error that ended the reading of packets early.
    """

    def __init__(
        self,
        container: InputContainer,
        track: VideoStream,
        *,
        clock: FrameClock,
        path: object,
        arrival: Callable[[], int] | None = None,
    ) -> None:
        """Take over an open container.

        Args:
            path: Name of the video in errors.
            arrival: Clock in ticks that tells when a frame came, for live streams whose time stamps are made up.
        """
        self._container, self._track, self._clock, self._path = container, track, clock, path
        self._arrival = arrival
        self._kind = container.format.name
        self._counts_by_packet = self._kind == "avi"  # which has no time stamps but the order of its packets
        self._ticks: deque[int | None] = deque()
        self._first_key: int | None = None
        self._converter = VideoReformatter()
        self._why = ""
        self._n_packets = self._last_bad = 0
        self.n_frames = self.n_shown = self.n_bad = 0
        self.first_bad: int | None = None
        self._is_interlaced = False
        self.other_end_s = 0.0
        self.failure: BaseException | None = None

    def frames(self) -> Iterator[TimedFrame]:
        """Yield the frames that decode; what does not is counted.

        Raises:
            VideoError: If frames change their size, or cannot be shown upright.
        """
        size: tuple[int, ...] | None = None
        for packet in self._packets():
            for frame in self._decoded(packet):
                timed = self._timed(frame)
                if size is not None and timed.image.shape != size:
                    what = f"the frames change their size at frame {self.n_frames}; re-encode it at one size"
                    raise VideoError("frame_size", self._path, what)
                size = timed.image.shape
                self.n_frames += 1
                yield timed

    @property
    def breaks_off(self) -> bool:
        """Whether packets ended in an error; in multipart JPEG FFmpeg takes the mark behind the last part for one."""
        return self.failure is not None and self._kind != "mpjpeg"

    @property
    def n_lost(self) -> int:
        """Frames that went into the decoder and did not come out; unknown, so 0, where two packets may make one frame."""
        return 0 if self._is_interlaced else max(self.n_shown - self.n_frames, 0)

    @property
    def ends_badly(self) -> bool:
        """Whether the last packets did not decode; decoders keep silent about a part of a frame at the end."""
        if self.breaks_off:
            return True
        if self.first_bad is None:
            return self.n_lost > 0
        return self._last_bad >= self._n_packets - _MAX_DELAY

    def why(self) -> str:
        """Return the decoder's word on what did not decode, in brackets; empty if it has none."""
        return f" ({self._why})" if self._why else ""

    def _packets(self) -> Iterator[_Packet | None]:
        """Yield the packets of the track, then None, on which the decoder gives what it holds back."""
        try:
            for packet in self._container.demux():
                if packet.stream_index != self._track.index:
                    self._note_other(packet)
                elif packet.size:
                    self._note(packet)
                    yield packet
        except CODEC_ERRORS as error:
            self.failure = error
            self._why = self._why or reason(error)
        yield None

    def _decoded(self, packet: _Packet | None) -> list[VideoFrame]:
        try:
            frames = self._track.codec_context.decode(packet)
        except CODEC_ERRORS as error:
            self._note_bad(reason(error))
            return []
        for frame in frames:
            self._is_interlaced |= frame.interlaced_frame
            if frame.is_corrupt:
                self._note_bad("corrupt")
        return [frame for frame in frames if not frame.is_corrupt]

    def _timed(self, frame: VideoFrame) -> TimedFrame:
        ticks = self._arrival() if self._arrival else frame.pts
        if self._counts_by_packet and self._ticks:
            ticks = self._ticks.popleft()
        try:
            times = self._clock.stamp(ticks, frame.duration)
            image = upright(self._converter.reformat(frame, format="rgb24").to_ndarray(), frame)
        except CODEC_ERRORS as error:
            what = f"frame {self.n_frames} cannot be read: {reason(error)}; re-encode it, for instance as H.264"
            raise VideoError("unsupported", self._path, what) from error
        return TimedFrame(image, *times)

    def _note(self, packet: _Packet) -> None:
        self._n_packets += 1
        if packet.is_corrupt:
            self._note_bad("its bytes are not all there")
        if packet.is_discard:  # hidden by an edit list
            return
        if self._first_key is None and packet.is_keyframe:
            self._first_key = packet.pts if packet.pts is not None else packet.dts or 0
        # Frames shown before the first key frame rest on frames that were never recorded.
        is_late = self._first_key is not None and (packet.pts is None or packet.pts >= self._first_key)
        if is_late and packet.size > _PLACEHOLDER and self._track.codec_context.name not in _HIDE_FRAMES:
            self.n_shown += 1
        if self._counts_by_packet:
            self._ticks.append(packet.dts)

    def _note_other(self, packet: _Packet) -> None:
        if packet.pts is not None and packet.time_base and self._track.time_base:
            first_s = float((self._track.start_time or 0) * self._track.time_base)
            end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - first_s
            self.other_end_s = max(self.other_end_s, end_s)

    def _note_bad(self, why: str) -> None:
        if self.n_frames == 0 and self._kind in JOINED_LATE:
            return
        self.n_bad += 1
        self._last_bad = self._n_packets
        if self.first_bad is None:
            self.first_bad, self._why = self.n_frames, why
