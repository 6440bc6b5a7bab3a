"""Source folder of raw footage or images, or the listing of one; it exists."""

from dataclasses import dataclass
from pathlib import Path

from weld_pipeline.core.errors import WeldError


@dataclass(frozen=True)
class SourceTree:
    """A handle on a folder of raw files; it reads none of them.

    Attributes:
        root: The folder; paths in a manifest are relative to it. It may also be a text file that lists a folder as the
            command `tree` prints it: its runs are indexed by name, and each is quarantined because its file is not here.

    Raises:
        WeldError: If `root` is missing, is a file but no listing, or holds nothing but hidden files.
    """

    root: Path

    def __post_init__(self) -> None:
        hint = (
            "draw sample welds with `kedro run --pipeline=sample_data`, or name your own folder with "
            "`--params footage.source_root=FOLDER` for recordings, `--params RECIPE.source_root=FOLDER` for images, "
            "`--params anomaly_detector.source_root=FOLDER` for the detectors"
        )
        if not self.root.exists():
            raise WeldError(f"source folder {self.root} does not exist; {hint}")
        if self.is_listing:
            return
        if not self.root.is_dir():
            raise WeldError(f"source folder {self.root} is a file and no listing (.txt); {hint}")
        if all(entry.name.startswith(".") for entry in self.root.iterdir()):
            raise WeldError(f"source folder {self.root} is empty; {hint}")

    @property
    def is_listing(self) -> bool:
        """Whether `root` is a text file with names instead of a folder with files."""
        return self.root.is_file() and self.root.suffix == ".txt"
