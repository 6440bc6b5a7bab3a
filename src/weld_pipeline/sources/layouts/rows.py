"""Index rows: a recording or image as its source names it, and why it cannot be used."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePosixPath

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.layouts.listing import Names

SPLIT_OF_WORD = {
    "train": "train", "training": "train", "val": "valid", "valid": "valid", "validation": "valid",
    "calib": "calib", "calibration": "calib", "test": "test", "testing": "test", "test_public": "test",
}  # fmt: skip


@dataclass(frozen=True)
class IndexRow:
    """A recording or image as its source names it, before its file is opened.

    Attributes:
        sample_id: Unique name; it stays the same when the source is indexed again.
        source: Layout it was read from, or `drawn` if this project drew it.
        path: Path of its file, which may be missing, relative to the root.
        label: Class; None if unknown.
        run_id: Id of the run, not always unique.
        session: Group that must not cross splits: recording date, weld run, photo series, or what the source names.
        config: Set-up: material, thickness, joint.
        source_split: Split that the source proposes, in its own word.
        mask_path: Path of the mask of its defects, relative to the root; None if there is none.
        problem: Problem as `code: what is wrong; what to do`, or None if its file can be opened.
    """

    sample_id: str
    source: str
    path: str
    label: str | None = None
    run_id: str | None = None
    session: str | None = None
    config: str | None = None
    travel_mm_s: float | None = None
    source_split: str | None = None
    mask_path: str | None = None
    problem: str | None = None


def to_table(rows: Iterable[IndexRow]) -> pd.DataFrame:
    """Return the rows as a table, in order; what is unknown is NA."""
    table = pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(IndexRow)])
    types = {column: "Float64" if column == "travel_mm_s" else "string" for column in table.columns}
    return table.astype(types)


def cells_of(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table of text, each a dictionary from column to cell."""
    return [
        dict(zip(table.columns.astype(str), map(str, cells), strict=True)) for cells in table.itertuples(index=False)
    ]


def with_unique_ids(rows: Sequence[IndexRow]) -> list[IndexRow]:
    """Return the rows with the second and later use of an id renamed `id#2`, … and marked as a duplicate."""
    n_seen: dict[str, int] = {}
    unique = []
    for row in rows:
        count = n_seen[row.sample_id] = n_seen.get(row.sample_id, 0) + 1
        problem = f"duplicate: {row.sample_id} is named {count} times by its source; keep one of the rows"
        again = replace(row, sample_id=f"{row.sample_id}#{count}", problem=row.problem or problem)
        unique.append(row if count == 1 else again)
    return unique


def clean_path(text: str) -> str | None:
    """Return a relative path in normal form, or None if it is empty, absolute or climbs out of its folder.

    >>> clean_path("a/./b/c.avi")
    'a/b/c.avi'
    >>> clean_path("../c.avi") is clean_path("C:/c.avi") is clean_path("/c.avi") is None
    True
    """
    path = posixpath.normpath(text.strip().replace("\\", "/"))
    is_outside = path.startswith(("/", "../")) or path in (".", "..") or re.match(r"[A-Za-z]:", path)
    return None if is_outside else path


def normal_name(text: str) -> str:
    """Return a class name in the form that is compared: `Lack of fusion`, `lack_of_fusion` and `LACK-OF-FUSION` are one.

    >>> normal_name(" Porosity w/ Excessive-Penetration")
    'porosity_w_excessive_penetration'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


def spelled(label: str, known: Iterable[str]) -> str | None:
    """Return the known class that `label` names in any spelling, or None."""
    return next((name for name in known if normal_name(name) == normal_name(label)), None)


def travel_mm_s(text: str, *, mm_s_per_unit: float, column: str) -> tuple[float | None, str | None]:
    """Return the travel speed in a cell [mm/s], None for an empty one, and what is wrong with the cell.

    >>> travel_mm_s("30", mm_s_per_unit=10 / 60, column="ROBOT_SPEED_CPM")
    (5.0, None)
    """
    if not text.strip():
        return None, None
    try:
        speed = float(text)
    except ValueError:
        speed = float("nan")
    if not 0 < speed < float("inf"):
        return None, f"bad_value: {column} {text!r} is no speed; mend the table it stands in"
    return speed * mm_s_per_unit, None


def session_in(path: str, pattern: str | None) -> str | None:
    """Return what a pattern finds in a path, its first group or else the whole match; without a pattern, the path.

    >>> session_in("good/2023-03-22/7.png", r"[0-9-]{10}")
    '2023-03-22'
    """
    if pattern is None:
        return path
    match = re.search(pattern, path)
    return (match.group(1) if match.re.groups else match.group()) if match else None


def session_or(own: str, path: str, pattern: str | None) -> str:
    """Return what a pattern finds in a path, or `own`, the layout's session, without a pattern or a match.

    >>> session_or("SampleV1_1_mp4", "train/images/SampleV1_1_mp4-7.jpg", r"/(plate[0-9]+)_")
    'SampleV1_1_mp4'
    """
    return (session_in(path, pattern) if pattern is not None else None) or own


def unclaimed(names: Names, rows: Sequence[IndexRow], *, files: Iterable[str], source: str, why: str) -> list[IndexRow]:
    """Return a row for each of the files that no row names, and for each entry that can be no file of the source."""
    claimed = {row.path for row in rows}
    stray = [
        IndexRow(file, source, file, run_id=PurePosixPath(file).stem, problem=f"unlisted: {why}")
        for file in files
        if file not in claimed
    ]
    unusable = [
        IndexRow(entry, source, entry, problem=problem)
        for entry, problem in names.unusable.items()
        if entry not in claimed
    ]
    return stray + unusable


def one_class_each(entries: Iterable[tuple[str, str, str]]) -> None:
    """Refuse files that a source labels twice, with two classes.

    Args:
        entries: Place, as `line 3`, path and class of each label.

    Raises:
        WeldError: If a path has two classes; it names both places.
    """
    first: dict[str, tuple[str, str]] = {}
    for place, path, label in entries:
        before, known = first.setdefault(path, (place, label))
        if normal_name(known) != normal_name(label):
            raise WeldError(f"{path} is {known!r} in {before} and {label!r} in {place}; keep the true one")
