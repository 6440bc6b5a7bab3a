"""From a video to a verdict."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.clips import Clip, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.runtime.video.graph import GraphOutput, VideoGraph
from weld_pipeline.runtime.video.travel_speed import manifest_travel_mm_s
from weld_pipeline.runtime.video.verdict import ClipResult, Decision, Timing, VideoVerdict, WorstStretch

Frame = UInt8[np.ndarray, "H W 3"]

# Headers are off by a frame or two; more is a recording cut short, which ingestion quarantines by the same share.
_MIN_DECODED_FRACTION = 0.99

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv")


class Inspection:
    """One weld under inspection: clips go in, the verdict so far comes out; memory does not grow with their number.

    Args:
        bundle: The bundle behind `graph`.
        graph: Its network.
        fps: Frame rate of the footage [1/s].
        travel_mm_s: Travel speed of the torch [mm/s], or None if not known.
    """

    def __init__(self, bundle: Bundle, graph: VideoGraph, *, fps: float, travel_mm_s: float | None) -> None:
        self._description = bundle.description
        self._stride = bundle.video.stride
        self._graph = graph
        self._fps = fps
        self._travel_mm_s = travel_mm_s
        self._first_frame: int | None = None
        self._worst = WorstStretch(self._stride)
        self._state = graph.start()
        self._output: GraphOutput | None = None
        self.n_clips = 0
        self.network_s = 0.0

    def add(self, clip: Clip[Frame]) -> ClipResult:
        """Return what the network says about the next clip."""
        began = time.perf_counter()
        output = self._graph.step(np.stack(clip.frames)[None], self._state)
        self.network_s += time.perf_counter() - began
        self._output, self._state = output, output.state
        self.n_clips += 1
        if self._first_frame is None:
            self._first_frame = clip.start
        probabilities = self._named(output.clip_probabilities[0])
        end = clip.start + len(clip.frames)
        result = ClipResult(
            start_frame=clip.start,
            start_s=clip.start / self._fps,
            end_s=end / self._fps,
            start_mm=self._position_mm(clip.start),
            end_mm=self._position_mm(end),
            predicted=max(probabilities, key=probabilities.__getitem__),
            probabilities=probabilities,
            p_not_good=sum(p for name, p in probabilities.items() if name != self._description.good_class),
            anomaly=float(output.clip_anomaly[0]),
        )
        self._worst.add(result)
        return result

    def decision(self) -> Decision:
        """Return the verdict on the clips so far."""
        threshold = self._description.threshold
        assert threshold is not None  # no video bundle is read without one
        output = self._output
        if output is None or self._first_frame is None:
            return Decision("no_arc", None, None, None, threshold, None, None, 0, None, None)
        probabilities = self._named(output.probabilities)
        return Decision(
            verdict="fail" if output.p_defect >= threshold else "pass",
            predicted=max(probabilities, key=probabilities.__getitem__),
            probabilities=probabilities,
            p_defect=output.p_defect,
            threshold=threshold,
            score=output.score,
            anomaly=output.anomaly,
            n_clips=self.n_clips,
            arc_start_s=self._first_frame / self._fps,
            worst=self._worst.worst,
        )

    def real_time_factor(self) -> float | None:
        """Return the seconds of network per second of arc-on video, or None before the first clip."""
        if self.n_clips == 0:
            return None
        return self.network_s * self._fps / (self.n_clips * self._stride)

    def _position_mm(self, frame: int) -> float | None:
        # The torch is taken to move at constant speed from the first clip on, where the arc begins.
        if self._travel_mm_s is None or self._first_frame is None:
            return None
        return (frame - self._first_frame) / self._fps * self._travel_mm_s

    def _named(self, probabilities: np.ndarray) -> dict[str, float]:
        return dict(zip(self._description.classes, map(float, probabilities), strict=True))


class VideoInspector:
    """A bundle, loaded once, that inspects any number of videos one after another.

    Args:
        bundle: A verified bundle of a video family.
        n_threads: Threads of the network; 0 takes one a core.
    """

    def __init__(self, bundle: Bundle, *, n_threads: int = 0) -> None:
        self.bundle = bundle
        self._graph = VideoGraph(bundle, n_threads=n_threads)

    def begin(self, *, fps: float, travel_mm_s: float | None = None) -> Inspection:
        """Return a fresh inspection, to be fed clip by clip."""
        return Inspection(self.bundle, self._graph, fps=fps, travel_mm_s=travel_mm_s)

    def clips(self, frames: Iterator[Frame]) -> Iterator[Clip[Frame]]:
        """Yield the clips of a stream of frames that the model is to see."""
        contract = self.bundle.video
        return arc_clips(
            frames, gate=self.bundle.gate, window=contract.window, stride=contract.stride, transform=_as_decoded
        )

    def inspect(self, path: Path | str, *, travel_mm_s: float | None = None) -> VideoVerdict:
        """Return the verdict on a video file, with its timeline.

        Args:
            path: The file.
            travel_mm_s: Travel speed of the torch [mm/s]; without it positions along the bead are None.

        Raises:
            WeldError: If the file cannot be read to its end: part of a weld gets no verdict.
        """
        began = time.perf_counter()
        with Video(path) as video:
            frames = _Stopwatch(video.frames())
            inspection = self.begin(fps=video.fps, travel_mm_s=travel_mm_s)
            clips = tuple(inspection.add(clip) for clip in self.clips(frames))
            check_complete(video, frames.n)
            video_s = frames.n / video.fps
        digest = sha256_file(Path(path))
        timing = Timing(
            video_s=video_s,
            decode_s=frames.seconds,
            network_s=inspection.network_s,
            total_s=time.perf_counter() - began,
            real_time_factor=inspection.real_time_factor(),
        )
        return VideoVerdict(str(path), digest, travel_mm_s, inspection.decision(), clips, timing)


def check_complete(video: Video, n_frames: int) -> None:
    """Refuse a video that ended early: what nobody saw is not a pass.

    Raises:
        WeldError: If more than one in a hundred of the frames that the header declares were not there.
    """
    if n_frames < _MIN_DECODED_FRACTION * video.n_frames_declared:
        raise WeldError(
            f"video {video.path}: ends after {n_frames} of {video.n_frames_declared} frames; "
            "copy it again from the recorder, or re-encode it if this is all there is"
        )


def _as_decoded(frame: Frame) -> Frame:
    return frame  # the graph takes frames at native size and does the rest


class _Stopwatch(Iterator[Frame]):
    """Passes frames on, counting them and the seconds they took to come."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self.n = 0
        self.seconds = 0.0

    def __next__(self) -> Frame:
        began = time.perf_counter()
        try:
            frame = next(self._frames)
        finally:
            self.seconds += time.perf_counter() - began
        self.n += 1
        return frame


def inspect_videos(
    inspector: VideoInspector, videos: Sequence[Path | NotInspected], *, travel_mm_s: float | None
) -> Iterator[VideoVerdict | NotInspected]:
    """Yield a verdict or the reason for none, video by video: a broken one does not lose the others.

    Args:
        inspector: The loaded bundle.
        videos: From `find_files`.
        travel_mm_s: Travel speed of the torch [mm/s]; where None, the manifest above each video is asked.
    """
    for video in videos:
        if isinstance(video, NotInspected):
            yield video
            continue
        try:
            speed = manifest_travel_mm_s(video) if travel_mm_s is None else travel_mm_s
            yield inspector.inspect(video, travel_mm_s=speed)
        except WeldError as error:
            yield NotInspected(str(video), str(error))
