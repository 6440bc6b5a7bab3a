"""Row clean-up after any layout: unique ids, known classes, files inside the folder."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from weld_pipeline.core.drawn_files import drawn_names
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.core.tables import DRAWN
from weld_pipeline.media.masks import mask_files
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import IndexRow, spelled, with_unique_ids


def clean_rows(
    rows: Sequence[IndexRow],
    *,
    root: Path,
    names: Names,
    good_class: str | None,
    class_aliases: Mapping[str, str],
    classes: Sequence[str] | None,
) -> list[IndexRow]:
    """Return the rows ready for probing, none lost.

    Args:
        good_class: Name of the class that is no defect; None where every class is one.
        class_aliases: Class names to use, by the names to replace.
        classes: The only classes allowed; None allows any.
    """
    known = [
        _known_class(row, good_class=good_class, class_aliases=class_aliases, classes=classes)
        for row in with_unique_ids(rows)
    ]
    if not names.are_here:
        return [_absent(row) for row in known]
    drawn = drawn_names(root)
    return [_inside(replace(row, source=DRAWN) if row.path in drawn else row, root) for row in known]


def check_good(rows: Sequence[IndexRow], good_class: str) -> None:
    """Refuse rows with classes, none of which is the good class."""
    labels = sorted({row.label for row in rows if row.label})
    if labels and good_class not in labels:
        raise WeldError(
            f"no class is called {good_class!r}, so every weld would count as a defect; "
            f"set index.good_class to one of {', '.join(labels)}"
        )


def check_pattern(pattern: str | None) -> None:
    """Refuse a session pattern that is no regular expression."""
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise WeldError(f"index.session_pattern {pattern!r} is no regular expression: {error}") from error


def _known_class(
    row: IndexRow, *, good_class: str | None, class_aliases: Mapping[str, str], classes: Sequence[str] | None
) -> IndexRow:
    """Return the row with its class in the spelling of the allowed classes, or with a problem if it is none."""
    if row.label is None:
        return row
    label = class_aliases.get(row.label, row.label)
    label = (spelled(label, [good_class]) if good_class is not None else None) or label
    if classes is None:
        return replace(row, label=label)
    known = spelled(label, classes)
    problem = f"unknown_class: {label!r} is none of the classes allowed ({', '.join(classes)}); see index.classes"
    return replace(row, label=known, problem=row.problem or (None if known else problem))


def _inside(row: IndexRow, root: Path) -> IndexRow:
    """Return the row, refused if its file or its mask is a link that leads out of the source folder."""
    if row.problem:
        return row
    masks = mask_files(root / row.mask_path) if row.mask_path else []
    for what, path in (("file", root / row.path), *(("mask", mask) for mask in masks)):
        try:
            inside(root, path.relative_to(root).as_posix())
        except WeldError:
            problem = f"unsafe_path: the {what} is a link that leads out of the source folder; put the file itself here"
            return replace(row, problem=problem)
    return row


def _absent(row: IndexRow) -> IndexRow:
    """Return a row of a listing: its file is not here, whatever the layout."""
    return replace(row, problem=row.problem or "missing: named in the listing, file not here; copy the data set")
