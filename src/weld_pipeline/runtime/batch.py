"""Many videos, of which some may be broken."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.travel import manifest_travel_mm_s
from weld_pipeline.runtime.verdict import NotInspected, VideoVerdict
from weld_pipeline.runtime.video import VideoInspector

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv")


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
