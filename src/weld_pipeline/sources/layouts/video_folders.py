"""Video folders: videos in a folder per class; videos or images anywhere with a csv of labels beside them."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.suffixes import IMAGE_SUFFIXES
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import (
    IndexRow,
    cells_of,
    clean_path,
    one_class_each,
    session_in,
    travel_mm_s,
    unclaimed,
)

# Files that lie beside footage and are none; anything else in a class folder is tried, so that no video is lost.
_SIDE_SUFFIXES = (
    ".txt", ".md", ".csv", ".tsv", ".json", ".yml", ".yaml", ".xml", ".pdf", ".html", ".log", ".npy", ".zip",
    ".flac", ".wav", ".mp3", *IMAGE_SUFFIXES,
)  # fmt: skip


def index_class_folders(names: Names, *, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each file that may be a video; its class is the first folder of its path.

    Args:
        session_pattern: Regular expression on the path; its first group, or the whole match, is the session.
            Without one each file is its own session.
    """
    files = [file for file in names.files if PurePosixPath(file).suffix.lower() not in _SIDE_SUFFIXES]
    rows = []
    for file in files:
        label, _, rest = file.partition("/")
        rows.append(
            IndexRow(
                sample_id=file,
                source="folders",
                path=file,
                label=label if rest else None,
                run_id=PurePosixPath(file).stem,
                session=session_in(file, session_pattern),
                problem=None if rest else "unknown_class: lies in no class folder; move it into one",
            )
        )
    return rows + unclaimed(names, rows, files=names.videos, source="folders", why="is not in a class folder")


def index_labels(
    names: Names, labels: pd.DataFrame, *, files: Sequence[str], session_pattern: str | None
) -> list[IndexRow]:
    """Return a row for each row of the csv, then one for each file on disk that it should name and does not.

    Args:
        files: Videos, or images, among its files.
        labels: Columns path, label and optionally session, config, split, travel_mm_s, as text; empty cells as empty
            text. Its index is the line of each row.
        session_pattern: Pattern where the csv has no session; see `index_class_folders`.

    Raises:
        WeldError: If a column is missing, or a path has two labels.
    """
    missing = [column for column in ("path", "label") if column not in labels.columns]
    if missing:
        raise WeldError(
            f"csv of labels: column {', '.join(missing)} is missing (found {', '.join(labels.columns)}); "
            "its first line must name path and label"
        )
    records = [(int(line), cells) for line, cells in zip(labels.index, cells_of(labels), strict=True)]
    labelled = [
        (f"line {line}", clean_path(cells["path"]), cells["label"]) for line, cells in records if cells["label"]
    ]
    one_class_each((line, path, label) for line, path, label in labelled if path)
    rows = [_labelled_row(names, line, cells, session_pattern) for line, cells in records]
    why = "the csv of labels does not name it; add a row"
    return rows + unclaimed(names, rows, files=files, source="labels_csv", why=why)


def _labelled_row(names: Names, line: int, cells: Mapping[str, str], session_pattern: str | None) -> IndexRow:
    path = clean_path(cells["path"])
    if path is None:
        unsafe = f"unsafe_path: path {cells['path']!r} in line {line} is no path inside the source folder; mend it"
        return IndexRow(f"labels:{line}", "labels_csv", cells["path"] or ".", problem=unsafe)
    speed, problem = travel_mm_s(cells.get("travel_mm_s", ""), mm_s_per_unit=1.0, column="travel_mm_s")
    if not cells["label"].strip():
        problem = f"unknown_class: line {line} of the csv of labels has no label; fill it in"
    elif path not in names.files_known:
        problem = f"missing: there is no file {path}; copy it here, or drop line {line} of the csv of labels"
    return IndexRow(
        sample_id=path,
        source="labels_csv",
        path=path,
        label=cells["label"].strip() or None,
        run_id=PurePosixPath(path).stem,
        session=_session(cells, path, session_pattern),
        config=cells.get("config") or None,
        travel_mm_s=speed,
        source_split=cells.get("split") or None,
        problem=problem,
    )


def _session(cells: Mapping[str, str], path: str, pattern: str | None) -> str | None:
    """Return the session of a row; without a pattern, an empty cell of a session column leaves it open."""
    if "session" in cells and (cells["session"] or pattern is None):
        return cells["session"] or None
    return session_in(path, pattern)
