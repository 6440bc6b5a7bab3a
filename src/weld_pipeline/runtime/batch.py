"""Many videos, of which some may be broken."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.travel import manifest_travel_mm_s
from weld_pipeline.runtime.verdict import VideoVerdict
from weld_pipeline.runtime.video import VideoInspector

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv")


@dataclass(frozen=True)
class NotInspected:
    """A path that got no verdict, which is never a pass.

    Attributes:
        path: The path as it was given or found.
        error: What was wrong and what to do.
    """

    path: str
    error: str

    def to_json(self) -> dict[str, str]:
        """Return it as JSON-able values."""
        return {"path": self.path, "error": self.error}


def find_videos(paths: Iterable[Path]) -> list[Path | NotInspected]:
    """Return the given files, and the videos in and below the given folders, in order of name."""
    found: list[Path | NotInspected] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)  # a file is tried whatever its name, and a missing one is told apart later
            continue
        videos = sorted(file for file in path.rglob("*") if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file())
        hint = f"folder {path} holds no video ({' '.join(VIDEO_SUFFIXES)}); name the files themselves"
        found += videos or [NotInspected(str(path), hint)]
    return found


def inspect_videos(
    inspector: VideoInspector, videos: Sequence[Path | NotInspected], *, travel_mm_s: float | None
) -> Iterator[VideoVerdict | NotInspected]:
    """Yield a verdict or the reason for none, video by video: a broken one does not lose the others.

    Args:
        inspector: The loaded bundle.
        videos: From `find_videos`.
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
