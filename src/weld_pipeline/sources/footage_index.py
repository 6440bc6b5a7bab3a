"""Footage index: the layout of a folder of recordings, and its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.core.text_tables import read_text_table
from weld_pipeline.sources.layouts import intel
from weld_pipeline.sources.layouts.clean_rows import check_good, check_pattern, clean_rows
from weld_pipeline.sources.layouts.listing import Names, read_listing, walk
from weld_pipeline.sources.layouts.rows import IndexRow
from weld_pipeline.sources.layouts.video_folders import index_class_folders, index_labels

Layout = Literal["intel", "folders", "labels_csv"]


@dataclass(frozen=True)
class Reading:
    """Options of the footage index.

    Attributes:
        layout: Layout of the folder. `auto` takes Intel's where its manifest or a run id is found, the csv of labels where
            there is one, else a folder per class.
        class_aliases: Class names to use, by the names to replace.
        classes: The only classes allowed; None allows any in plain folders and Intel's twelve in its layout.
        labels_file: The csv of labels, relative to the footage folder.
        session_pattern: Pattern of the session; see `index_class_folders`.
    """

    layout: Literal["auto", "intel", "folders", "labels_csv"] = "auto"
    good_class: str = "Good"
    class_aliases: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[str] | None = None
    labels_file: str = "labels.csv"
    session_pattern: str | None = None


def index_source(root: Path, reading: Reading) -> list[IndexRow]:
    """Return a row for each recording that a footage folder or a listing names; none is left out.

    Args:
        root: A folder, or a text file as `tree` prints it.

    Raises:
        WeldError: If there is no recording, a csv cannot be read, or no class is the good one.
    """
    check_pattern(reading.session_pattern)
    names = walk(root) if root.is_dir() else read_listing(root)
    layout = _detect(root, names, reading) if reading.layout == "auto" else reading.layout
    if layout == "intel":
        rows = _index_intel(root, names, reading)
    elif layout == "labels_csv":
        if reading.labels_file not in names.files:
            raise WeldError(f"csv of labels {reading.labels_file!r} is not in {root}; set index.labels_file")
        labels = read_text_table(inside(root, reading.labels_file))
        rows = index_labels(names, labels, files=names.videos, session_pattern=reading.session_pattern)
    else:
        rows = index_class_folders(names, session_pattern=reading.session_pattern)
    if not rows:
        raise WeldError(f"footage {root}: no video found in the layout {layout!r}; check index.layout")
    rows = clean_rows(
        rows,
        root=root,
        names=names,
        good_class=reading.good_class,
        class_aliases=reading.class_aliases,
        classes=reading.classes,
    )
    if layout != "intel":
        check_good(rows, reading.good_class)
    return rows


def _index_intel(root: Path, names: Names, reading: Reading) -> list[IndexRow]:
    if not (names.are_here and intel.MANIFEST_NAME in names.files):
        return intel.index_run_folders(names, aliases=reading.class_aliases)
    manifest = read_text_table(inside(root, intel.MANIFEST_NAME))
    return intel.index_manifest(names, manifest, aliases=reading.class_aliases)


def _detect(root: Path, names: Names, reading: Reading) -> Layout:
    manifests = [file for file in names.files if file.rpartition("/")[2] == intel.MANIFEST_NAME]
    if manifests and intel.MANIFEST_NAME not in manifests:
        deeper = root / Path(manifests[0]).parent
        raise WeldError(f"footage {root}: {manifests[0]} lies deeper; name its folder {deeper} as footage.source_root")
    if manifests or any(intel.is_run_id(folder.rpartition("/")[2]) for folder in names.folders):
        return "intel"
    return "labels_csv" if reading.labels_file in names.files else "folders"
