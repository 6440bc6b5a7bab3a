"""Which layout a folder has, and its rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from weld_pipeline.core.drawn_files import drawn_names
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.core.tables import DRAWN
from weld_pipeline.sources import intel
from weld_pipeline.sources.folders import index_class_folders, index_labels
from weld_pipeline.sources.names import Names, read_listing, walk
from weld_pipeline.sources.rows import IndexRow, spelled, with_unique_ids

Layout = Literal["intel", "folders", "labels_csv"]


@dataclass(frozen=True)
class Reading:
    """How footage is read.

    Attributes:
        layout: `auto` takes Intel's where its manifest or a run id is found, the csv of labels where there is one,
            else a folder per class.
        good_class: Name of the class that is no defect.
        class_aliases: Other names of classes → the name to use.
        classes: The only classes allowed; None allows any in plain folders and Intel's twelve in its layout.
        labels_file: The csv of labels, relative to the footage folder.
        session_pattern: See `index_class_folders`.
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
        reading: How to read it.

    Raises:
        WeldError: If nothing is found, a csv cannot be read, or no class is the good one.
    """
    if reading.session_pattern is not None:
        _check_pattern(reading.session_pattern)
    names = walk(root) if root.is_dir() else read_listing(root)
    layout = _detect(root, names, reading) if reading.layout == "auto" else reading.layout
    if layout == "intel":
        manifest = _read_csv(root / intel.MANIFEST_NAME) if _is_here(names, intel.MANIFEST_NAME) else None
        rows = (
            intel.index_run_folders(names, aliases=reading.class_aliases)
            if manifest is None
            else intel.index_manifest(names, manifest, aliases=reading.class_aliases)
        )
    elif layout == "labels_csv":
        if reading.labels_file not in names.files:
            raise WeldError(f"csv of labels {reading.labels_file!r} is not in {root}; set ingestion.index.labels_file")
        labels = _read_csv(inside(root, reading.labels_file))
        rows = index_labels(names, labels, session_pattern=reading.session_pattern)
    else:
        rows = index_class_folders(names, session_pattern=reading.session_pattern)
    if not rows:
        raise WeldError(f"footage {root}: no video found in the layout {layout!r}; check ingestion.index.layout")
    rows = [_known_class(row, reading) for row in with_unique_ids(rows)]
    if layout != "intel":
        _check_good(rows, reading.good_class)
    if not names.are_here:
        return [_absent(row) for row in rows]
    drawn = drawn_names(root)
    return [_inside(replace(row, source=DRAWN) if row.path in drawn else row, root) for row in rows]


def _detect(root: Path, names: Names, reading: Reading) -> Layout:
    manifests = [file for file in names.files if file.rpartition("/")[2] == intel.MANIFEST_NAME]
    if manifests and intel.MANIFEST_NAME not in manifests:
        deeper = root / Path(manifests[0]).parent
        raise WeldError(f"footage {root}: {manifests[0]} lies deeper; name its folder {deeper} as footage_root")
    if manifests or any(intel.is_run_id(folder.rpartition("/")[2]) for folder in names.folders):
        return "intel"
    return "labels_csv" if reading.labels_file in names.files else "folders"


def _is_here(names: Names, file: str) -> bool:
    return names.are_here and file in names.files


def _read_csv(path: Path) -> pd.DataFrame:
    """Return a csv with every cell as text."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise WeldError(f"{path}: cannot be read as csv ({error}); mend the file or move it away") from error


def _known_class(row: IndexRow, reading: Reading) -> IndexRow:
    """Return the row with its class in the spelling of the allowed classes, or with the problem that it is none."""
    if row.label is None:
        return row
    label = reading.class_aliases.get(row.label, row.label)
    label = spelled(label, [reading.good_class]) or label
    if reading.classes is None:
        return replace(row, label=label)
    known = spelled(label, reading.classes)
    allowed = ", ".join(reading.classes)
    problem = f"unknown_class: {label!r} is none of the classes allowed ({allowed}); see ingestion.index.classes"
    return replace(row, label=known, problem=row.problem or (None if known else problem))


def _check_good(rows: Sequence[IndexRow], good_class: str) -> None:
    labels = sorted({row.label for row in rows if row.label})
    if labels and good_class not in labels:
        raise WeldError(
            f"no class is called {good_class!r}, so every weld would count as a defect; "
            f"set ingestion.index.good_class to one of {', '.join(labels)}"
        )


def _inside(row: IndexRow, root: Path) -> IndexRow:
    """Return the row, refused if its file is a link that leads out of the footage folder."""
    if row.problem:
        return row
    try:
        inside(root, row.path)
    except WeldError:
        problem = "unsafe_path: the file is a link that leads out of the footage folder; put the file itself here"
        return replace(row, problem=problem)
    return row


def _absent(row: IndexRow) -> IndexRow:
    """Return a row of a listing: its file is not here, whatever the layout."""
    return replace(row, problem=row.problem or "missing: video named in the listing, file not here; copy the data set")


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise WeldError(f"ingestion.index.session_pattern {pattern!r} is no regular expression: {error}") from error
