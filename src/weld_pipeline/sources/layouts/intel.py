"""Intel layout: the Robotic Welding Multimodal Dataset (2024).

`<configuration>/<run id>/<run id>.avi` beside sensor log, sound and stills of the plate, with or without a
`manifest.csv`. Run ids are not unique: the listing of all 4,040 runs holds 20 twice, once for each steel. So the
id of a sample is its folder, the manifest's SUBDIRS.
"""

import re
from collections.abc import Mapping
from datetime import date

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import IndexRow, cells_of, clean_path, spelled, travel_mm_s, unclaimed

SOURCE = "intel"
MANIFEST_NAME = "manifest.csv"
RUN_ID = re.compile(r"(?P<month>\d{2})-(?P<day>\d{2})-(?P<year>\d{2})-(?P<number>\d{4})-(?P<code>\d{2})")
_CM_PER_MIN_TO_MM_PER_S = 10 / 60
# Class of each code, the last two digits of a run id; behind it the imperfections' numbers in ISO 6520-1:2007.
CLASS_OF_CODE = {
    "00": "Good",
    "01": "Excessive_Penetration",  # 504
    "02": "Burnthrough",  # 510
    "03": "Porosity",  # 201
    "04": "Porosity_w_Excessive_Penetration",  # 201, 504
    "05": "Undercut",  # 501
    "06": "Overlap",  # 506
    "07": "Lack_of_Fusion",  # 401
    "08": "Excessive_Convexity",  # 503
    "09": "Spatter",  # 602
    "10": "Warping",  # 520
    "11": "Crater_Cracks",  # 104
}
CLASS_NAMES = tuple(CLASS_OF_CODE.values())


def is_run_id(text: str) -> bool:
    """Return whether a folder's name is a run id."""
    return RUN_ID.fullmatch(text) is not None


def recording_date(run_id: str) -> str | None:
    """Return the date in a run id in ISO form, or None if there is none.

    >>> recording_date("03-22-23-0001-06")
    '2023-03-22'
    """
    match = RUN_ID.fullmatch(run_id)
    if not match:
        return None
    try:
        return date(2000 + int(match["year"]), int(match["month"]), int(match["day"])).isoformat()
    except ValueError:
        return None


def index_run_folders(names: Names, *, aliases: Mapping[str, str]) -> list[IndexRow]:
    """Return a row for each folder named by a run id, its class by the last two digits of the id."""
    folders = [folder for folder in names.folders if is_run_id(folder.rpartition("/")[2])]
    rows = [_run(names, folder, aliases=aliases) for folder in folders]
    why = "lies in no folder named by a run id MM-DD-YY-NNNN-CC, or is not named as its folder; rename one of them"
    return rows + unclaimed(names, rows, files=names.videos, source=SOURCE, why=why)


def index_manifest(names: Names, manifest: pd.DataFrame, *, aliases: Mapping[str, str]) -> list[IndexRow]:
    """Return a row for each row of `manifest.csv`, then one for each run on disk that it does not name.

    Args:
        names: Names in the folder that holds the manifest.
        manifest: Its rows as text, empty cells as empty text; its index is the line of each row.
        aliases: Class names to use, by the spellings of CATEGORY to replace.

    Raises:
        WeldError: If a needed column is missing.
    """
    missing = [column for column in ("CATEGORY", "SUBDIRS") if column not in manifest.columns]
    if missing:
        raise WeldError(
            f"{MANIFEST_NAME}: column {', '.join(missing)} is missing (found {', '.join(manifest.columns)}); "
            "restore the file, or move it away so that classes are read from run ids"
        )
    records = zip(manifest.index, cells_of(manifest), strict=True)
    rows = [_manifest_row(names, int(line), cells, aliases) for line, cells in records]
    named = {row.sample_id for row in rows}
    unnamed = [row for row in index_run_folders(names, aliases=aliases) if row.sample_id not in named]
    claimed = {row.path for row in rows}
    why = f"unlisted: {MANIFEST_NAME} does not name it; add a row for it there"
    return rows + [
        IndexRow(
            row.sample_id, SOURCE, row.path, row.label, row.run_id, row.session, row.config, problem=row.problem or why
        )
        for row in unnamed
        if row.path not in claimed
    ]


def _manifest_row(names: Names, line: int, cells: Mapping[str, str], aliases: Mapping[str, str]) -> IndexRow:
    folder = clean_path(cells["SUBDIRS"])
    if folder is None:
        problem = (
            f"unsafe_path: SUBDIRS {cells['SUBDIRS']!r} in line {line} is no path inside the footage folder; mend it"
        )
        return IndexRow(f"{MANIFEST_NAME}:{line}", SOURCE, cells["SUBDIRS"] or ".", problem=problem)
    return _run(names, folder, aliases=aliases, cells=cells)


def _run(names: Names, folder: str, *, aliases: Mapping[str, str], cells: Mapping[str, str] | None = None) -> IndexRow:
    parent, _, run_id = folder.rpartition("/")
    video = names.find_video(folder, run_id)
    label, label_problem = _label(run_id, cells, aliases)
    cells = cells or {}
    speed, speed_problem = travel_mm_s(
        cells.get("ROBOT_SPEED_CPM", ""), mm_s_per_unit=_CM_PER_MIN_TO_MM_PER_S, column="ROBOT_SPEED_CPM"
    )
    return IndexRow(
        sample_id=folder,
        source=SOURCE,
        path=video or f"{folder}/{run_id}.avi",
        label=label,
        run_id=run_id,
        session=recording_date(run_id),
        config=cells.get("DIRECTORY") or parent or None,
        travel_mm_s=speed,
        source_split=cells.get("SPLIT") or None,
        problem=_presence_problem(names, folder, video) or label_problem or speed_problem,
    )


def _presence_problem(names: Names, folder: str, video: str | None) -> str | None:
    run_id = folder.rpartition("/")[2]
    if video and not names.are_here:
        return "missing: video named in the listing, file not here; copy the data set and name its folder"
    if video:
        return None
    if names.are_here and folder not in names.folders:
        return f"missing: there is no folder {folder}; copy it from the data set, or drop its row"
    return f"missing: there is no video {run_id}.avi in its folder; copy it from the data set"


def _label(run_id: str, cells: Mapping[str, str] | None, aliases: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the class and what is wrong with it."""
    match = RUN_ID.fullmatch(run_id)
    by_id = CLASS_OF_CODE.get(match["code"]) if match else None
    if cells is None:
        problem = f"unknown_class: run id {run_id} ends in none of the class codes 00 to 11; mend the id"
        return by_id, None if by_id else problem
    category = cells["CATEGORY"]
    label = spelled(aliases.get(category, category), CLASS_NAMES)
    if label is None:
        return None, f"unknown_class: CATEGORY {category!r} is none of the 12 classes; name it in index.class_aliases"
    if by_id not in (None, label):
        return None, f"label_conflict: CATEGORY says {label}, the run id says {by_id}; mend the manifest"
    return label, None
