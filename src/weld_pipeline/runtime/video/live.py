"""Live inspection: while the weld is made: a reader thread cuts clips, the network takes them as fast as it can."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import UInt8
from weld_pipeline.media.camera import Camera
from weld_pipeline.media.clips import Clip
from weld_pipeline.media.decode import Video
from weld_pipeline.media.recordings.timing import TimedFrame
from weld_pipeline.runtime.video.inspector import VideoInspector
from weld_pipeline.runtime.video.verdict import ClipResult, RunVerdict

Frame = UInt8[np.ndarray, "H W 3"]

# One clip in the network and one waiting: a longer queue would only make every answer later.
_QUEUE_CLIPS = 1
_POLL_S = 0.1


@dataclass(frozen=True)
class LiveClip:
    """A clip's result as it comes.

    Attributes:
        result: What the network says.
        latency_ms: From the arrival of its last frame to this result [ms].
        n_dropped: Clips dropped since the start because the network was busy.
    """

    result: ClipResult
    latency_ms: float
    n_dropped: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values with `event: clip`, the result's fields on the same level."""
        fields = asdict(self)
        return {"event": "clip"} | fields.pop("result") | fields


@dataclass(frozen=True)
class LiveReport:
    """What is said at the end.

    Attributes:
        run: Verdict on the clips seen.
        n_frames: Frames that came.
        n_dropped_clips: Clips that came and were not looked at.
        max_latency_ms: The longest a result took [ms]; None where no clip was seen.
        real_time_factor: Seconds of network per second of arc-on video; below 1 it keeps up. None where no clip was seen.
        broke_off: Why a camera ended early; the verdict is on what was seen until then.
        warnings: What a person should know about the frames: as of a `VideoVerdict`, and frames that were lost.
    """

    run: RunVerdict
    n_frames: int
    n_dropped_clips: int
    max_latency_ms: float | None
    real_time_factor: float | None
    broke_off: str | None
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values with `event: verdict`, the run's fields on the same level."""
        fields = asdict(self)
        return {"event": "verdict"} | fields.pop("run") | fields


@dataclass(frozen=True)
class _Arrival:
    clip: Clip[Frame]
    time_s: float


class LiveInspection:
    """A running inspection; a context manager that stops its reader thread.

    A camera does not wait. Where the network is slower than the camera, whole clips are dropped, the oldest first:
    the clips it does see are of consecutive frames, as in training, and no result is later than two clips of work.
    Memory holds a few clips of frames, however long the source runs.

    Args:
        inspector: The loaded bundle.
        source: An open file or camera; the reader thread closes it.
        is_paced: Feed a file at its own frame rate and drop clips as a camera would.
        travel_mm_s: Travel speed of the torch [mm/s], or None if not known.
    """

    def __init__(
        self,
        inspector: VideoInspector,
        source: Video | Camera,
        *,
        is_paced: bool = False,
        travel_mm_s: float | None = None,
    ) -> None:
        self._inspector = inspector
        self._source = source
        self._is_paced = is_paced
        self._drops = is_paced or isinstance(source, Camera)
        self._inspection = inspector.begin(travel_mm_s=travel_mm_s)
        self._queue: queue.Queue[_Arrival | None] = queue.Queue(_QUEUE_CLIPS)
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._n_frames = 0
        self._n_dropped = 0
        self._max_latency_ms: float | None = None
        self._reader = threading.Thread(target=self._read, name="frame-reader", daemon=True)

    def __enter__(self) -> "LiveInspection":  # noqa: PYI034 - the shape checker of the tests refuses Self here
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._reader.join(timeout=2.0)  # a camera that hangs in its driver must not keep the process

    def clips(self) -> Iterator[LiveClip]:
        """Yield results as they come, to the end of the source; that of a camera may be its breaking off.

        Raises:
            WeldError: If a file cannot be read to its end: part of a recorded weld gets no verdict.
        """
        while (arrival := self._queue.get()) is not None:
            result = self._inspection.add(arrival.clip)
            latency_ms = 1000 * (time.monotonic() - arrival.time_s)
            self._max_latency_ms = max(latency_ms, self._max_latency_ms or 0.0)
            yield LiveClip(result, latency_ms, self._n_dropped)
        if self._failure is not None and self._broke_off is None:
            raise self._failure

    def report(self) -> LiveReport:
        """Return the verdict on the clips so far, with the counts."""
        return LiveReport(
            run=self._inspection.verdict(),
            n_frames=self._n_frames,
            n_dropped_clips=self._n_dropped,
            max_latency_ms=self._max_latency_ms,
            real_time_factor=self._inspection.real_time_factor(),
            broke_off=self._broke_off,
            warnings=self._inspector.warnings(self._source),
        )

    @property
    def _broke_off(self) -> str | None:
        is_end = isinstance(self._source, Camera) and isinstance(self._failure, WeldError)
        return str(self._failure) if is_end else None

    def _read(self) -> None:
        try:
            with self._source:
                for clip in self._inspector.clips(self._frames()):
                    self._hand_over(_Arrival(clip, time.monotonic()))
                if isinstance(self._source, Video) and not self._stop.is_set():
                    self._source.check_complete()
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread, whatever it is
            self._failure = error
        finally:
            self._put(None)

    def _frames(self) -> Iterator[TimedFrame]:
        began = time.monotonic()
        for index, frame in enumerate(self._source.frames()):
            if self._is_paced:
                self._stop.wait(max(0.0, began + frame.time_s - time.monotonic()))
            if self._stop.is_set():
                return
            self._n_frames = index + 1
            yield frame

    def _hand_over(self, arrival: _Arrival) -> None:
        if self._drops and self._queue.full():
            with suppress(queue.Empty):  # the network may take it in this moment
                self._queue.get_nowait()
                self._n_dropped += 1
        self._put(arrival)

    def _put(self, arrival: _Arrival | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(arrival, timeout=_POLL_S)
            except queue.Full:
                continue
            return
