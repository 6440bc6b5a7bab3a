"""GDXray layout (Mery et al. 2015): weld radiographs of series W0001, masks of the same number in series W0002.

`W0001/W0001_0003.png` and `W0002/W0002_0003.png` as published, or in any other folders: names give series and number. No
file gives a class, so the mask does: a film without a marked pixel is good. The films of other series (W0003) have no
mask and so no class. Each film is a session.
"""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.media.masks import MaskError, read_marks
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.mask_folders import orphan_masks
from weld_pipeline.sources.layouts.rows import IndexRow, session_or, unclaimed

SOURCE = "gdxray"
DEFECTIVE = "weld_defect"
_FILM, _MASK = re.compile(r"W0001_(\d+)"), re.compile(r"W0002_(\d+)")


def is_gdxray(names: Names) -> bool:
    """Return whether there are films and masks named as in GDXray."""
    return bool(_numbered(names, _FILM) and _numbered(names, _MASK))


def index_gdxray(root: Path, names: Names, *, good_class: str | None, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each film, and for each mask without a film.

    Args:
        root: The source folder; every mask in it is read, for the classes.
        good_class: Class of films without a marked pixel; None leaves them without a class.
        session_pattern: Regular expression on the path; without one or a match, a film is its own session.
    """
    mask_of = _numbered(names, _MASK)
    films = [file for file in names.images if not _MASK.fullmatch(PurePosixPath(file).stem)]
    rows = [_row(root, film, mask_of, good_class=good_class, session_pattern=session_pattern) for film in films]
    orphans = orphan_masks(rows, mask_of.values(), source=SOURCE)
    return [*rows, *orphans, *unclaimed(names, rows, files=(), source=SOURCE, why="")]


def _row(
    root: Path, film: str, mask_of: Mapping[str, str], *, good_class: str | None, session_pattern: str | None
) -> IndexRow:
    stem = PurePosixPath(film).stem
    number = _FILM.fullmatch(stem)
    mask = mask_of.get(number.group(1)) if number else None
    unknown = "unlabelled: no mask W0002 of its number tells whether it is good; copy the mask here"
    label, problem = _read_label(root, mask, good_class) if mask else (None, unknown)
    session = session_or(stem, film, session_pattern)
    return IndexRow(film, SOURCE, film, label, session=session, mask_path=mask, problem=problem)


def _read_label(root: Path, mask: str, good_class: str | None) -> tuple[str | None, str | None]:
    """Return the class that a mask gives, and what is wrong with the mask."""
    try:
        path = inside(root, mask)
    except WeldError:
        return None, "unsafe_path: the mask is a link that leads out of the source folder; put the file itself here"
    try:
        label = DEFECTIVE if read_marks(path).any() else good_class
    except MaskError as error:
        return None, f"{error.code}: {error.what}"
    return label, None if label else "unlabelled: its mask marks nothing, and index.good_class is null; name that class"


def _numbered(names: Names, pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the file of each number in a series."""
    matches = ((pattern.fullmatch(PurePosixPath(file).stem), file) for file in names.images)
    return {match.group(1): file for match, file in matches if match}
