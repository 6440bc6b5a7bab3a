"""Video inspector: from a recording to a timeline and a verdict."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from weld_pipeline import runtime
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.shapes import UInt8
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.camera import Camera
from weld_pipeline.media.clips import Clip, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.media.recordings.timing import TimedFrame
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.contracts import ClipsInput
from weld_pipeline.runtime.find_files import find_files
from weld_pipeline.runtime.records import store_verdict
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.runtime.video.graph import GraphOutput, VideoGraph
from weld_pipeline.runtime.video.travel_speed import manifest_travel_mm_s
from weld_pipeline.runtime.video.verdict import NOTHING_SEEN, ClipResult, RunVerdict, Timing, VideoVerdict, WorstStretch

Frame = UInt8[np.ndarray, "H W 3"]


class Inspection:
    """One weld under inspection: clips go in, the verdict so far comes out; memory does not grow with their number.

    Args:
        bundle: The bundle behind `graph`.
        graph: Its network.
        travel_mm_s: Travel speed of the torch [mm/s], or None if not known.
    """

    def __init__(self, bundle: Bundle, graph: VideoGraph, *, travel_mm_s: float | None) -> None:
        self._description = bundle.description
        self._contract = bundle.fed(ClipsInput)
        self._graph = graph
        self._travel_mm_s = travel_mm_s
        self._first_s: float | None = None
        self._clips_s = 0.0
        self._worst = WorstStretch(self._contract.stride)
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
        if self._first_s is None:
            self._first_s = clip.start_s
        self._clips_s += clip.end_s - clip.start_s
        probabilities = self._named(output.clip_probabilities[0])
        result = ClipResult(
            start_frame=clip.start,
            start_s=clip.start_s,
            end_s=clip.end_s,
            start_mm=self._position_mm(clip.start_s),
            end_mm=self._position_mm(clip.end_s),
            predicted=max(probabilities, key=probabilities.__getitem__),
            probabilities=probabilities,
            p_not_good=sum(p for name, p in probabilities.items() if name != self._description.good_class),
            anomaly=float(output.clip_anomaly[0]),
        )
        self._worst.add(result)
        return result

    def verdict(self) -> RunVerdict:
        """Return the verdict on the clips so far."""
        output = self._output
        if output is None:
            return NOTHING_SEEN
        probabilities = self._named(output.probabilities)
        predicted = max(probabilities, key=probabilities.__getitem__)
        verdict, p_defect = self._description.decision.decide(score=output.score, predicted=predicted)
        return RunVerdict(
            verdict=verdict,
            predicted=predicted,
            score=output.score,
            p_defect=p_defect,
            probabilities=probabilities,
            anomaly=output.anomaly,
            n_clips=self.n_clips,
            arc_start_s=self._first_s,
            worst=self._worst.worst,
        )

    def real_time_factor(self) -> float | None:
        """Return the seconds of network per second of arc-on video, or None before the first clip."""
        if self._clips_s == 0:
            return None
        # Clips overlap: each brings as much new video as its stride.
        return self.network_s / (self._clips_s * self._contract.stride / self._contract.window)

    def _position_mm(self, time_s: float) -> float | None:
        # The torch is taken to move at constant speed from the first clip on, where the arc begins.
        if self._travel_mm_s is None or self._first_s is None:
            return None
        return (time_s - self._first_s) * self._travel_mm_s

    def _named(self, probabilities: np.ndarray) -> dict[str, float]:
        return dict(zip(self._description.classes, map(float, probabilities), strict=True))


class VideoInspector:
    """A bundle, loaded once, that inspects any number of videos one after another.

    Args:
        bundle: Folder of a bundle, whose hashes are checked, or one loaded already.
        engine: What runs the graph; see `engines.open.open_graph`.
        n_threads: Threads of the network; 0 takes one a core.
        travel_mm_s: Travel speed of the torch [mm/s], for positions in mm: one for all videos, or one a path. Where it
            tells none, the manifest above the video is asked.

    Attributes:
        bundle: What judges.

    Raises:
        WeldError: If the bundle cannot be believed, or does not inspect video.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"travel_mm_s"})

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        engine: Engine = "onnxruntime",
        n_threads: int = 0,
        travel_mm_s: float | Mapping[Path, float] | None = None,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self._contract = self.bundle.fed(ClipsInput)
        self._graph = VideoGraph(self.bundle, engine=engine, n_threads=n_threads)
        self._travel_mm_s = travel_mm_s

    def find(self, paths: Iterable[Path]) -> list[Path | NotInspected]:
        """Return the videos that were meant by files, folders and patterns."""
        return find_files(paths, media="video")

    def begin(self, *, travel_mm_s: float | None = None) -> Inspection:
        """Return a fresh inspection, to be fed clip by clip."""
        return Inspection(self.bundle, self._graph, travel_mm_s=travel_mm_s)

    def clips(self, frames: Iterator[TimedFrame]) -> Iterator[Clip[Frame]]:
        """Yield the clips of a stream of frames that the model is to see."""
        contract = self._contract
        return arc_clips(
            frames, gate=contract.arc_gate, window=contract.window, stride=contract.stride, transform=_as_decoded
        )

    def warnings(self, source: Video | Camera) -> tuple[str, ...]:
        """Return what a person should know about a source whose frames were read."""
        return source.warnings + self._contract.rate_warnings(source.fps)

    def inspect(self, source: Path | str) -> VideoVerdict:
        """Return the verdict on a video file, with its timeline.

        Raises:
            WeldError: If the file cannot be read to its end: part of a weld gets no verdict.
        """
        path = Path(source)
        travel_mm_s = self.travel_speed(path)
        began = time.perf_counter()
        with Video(path) as video:
            frames = _Stopwatch(video.frames())
            inspection = self.begin(travel_mm_s=travel_mm_s)
            clips = tuple(inspection.add(clip) for clip in self.clips(frames))
            video.check_complete()
            video_s, warnings = video.duration_s, self.warnings(video)
        digest = sha256_file(path)
        timing = Timing(
            video_s=video_s,
            decode_s=frames.seconds,
            network_s=inspection.network_s,
            total_s=time.perf_counter() - began,
            real_time_factor=inspection.real_time_factor(),
        )
        return VideoVerdict(str(source), digest, travel_mm_s, inspection.verdict(), clips, timing, warnings)

    def inspect_each(self, sources: Iterable[Path | str | NotInspected]) -> Iterator[VideoVerdict | NotInspected]:
        """Yield a verdict or the reason for none, video by video: a broken one does not lose the others.

        Args:
            sources: Files, or entries of `find`.
        """
        for source in sources:
            if isinstance(source, NotInspected):
                yield source
                continue
            try:
                yield self.inspect(source)
            except WeldError as error:
                yield NotInspected(str(source), str(error))

    def table(self, results: Iterable[VideoVerdict | NotInspected]) -> Any:
        """Return a table of results for a terminal, as rich prints it; a program that shows none need not load rich."""
        return runtime.video.table.video_table(results, self.bundle)

    def store(self, folder: Path, verdict: VideoVerdict) -> Path:
        """Return the new file that keeps a verdict; see `records.store_verdict`."""
        return store_verdict(folder, verdict, self.bundle)

    def travel_speed(self, path: Path) -> float | None:
        """Return the travel speed of the torch in a video [mm/s], or None where nobody tells it.

        Raises:
            WeldError: If the manifest above it tells one that is no number above zero.
        """
        speed = self._travel_mm_s.get(path) if isinstance(self._travel_mm_s, Mapping) else self._travel_mm_s
        return manifest_travel_mm_s(path) if speed is None else speed


def _as_decoded(frame: Frame) -> Frame:
    return frame  # the graph takes frames at native size and does the rest


class _Stopwatch(Iterator[TimedFrame]):
    """Passes frames on, counting the seconds they took to come."""

    def __init__(self, frames: Iterator[TimedFrame]) -> None:
        self._frames = frames
        self.seconds = 0.0

    def __next__(self) -> TimedFrame:
        began = time.perf_counter()
        try:
            return next(self._frames)
        finally:
            self.seconds += time.perf_counter() - began
