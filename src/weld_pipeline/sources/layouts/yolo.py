"""YOLO layout: photos with boxes, and the class of an image whose boxes have several classes.

`data.yaml` names the classes; beside each `…/images/<name>.jpg` lies `…/labels/<name>.txt`, a line a box: class number,
then centre and size, or the corners of a polygon, as shares of the image. The paths in `data.yaml` are of the
machine that exported it and are not used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml  # type: ignore[import-untyped]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, IndexRow, session_or, unclaimed
from weld_pipeline.sources.layouts.series import series_of

SOURCE = "yolo"
NAMES_FILE = "data.yaml"
_BOX_SHARES = 4  # centre and size; a polygon has two for each of at least three corners


@dataclass(frozen=True)
class LabelRule:
    """Rule that gives an image one class from the classes of its boxes.

    Attributes:
        priority: Classes, worst first; an image gets the first class that one of its boxes has. It may be empty where no
            image has boxes of several classes.
        if_empty: Class of an image whose label file has no box, or which has no label file; None quarantines it.
    """

    priority: Sequence[str]
    if_empty: str | None


def index_yolo(root: Path, names: Names, *, rule: LabelRule, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each image in a folder `images`, for each label file without image, and for stray images.

    Args:
        session_pattern: Regular expression on the path; without one or a match, `series_of` gives the session.

    Raises:
        WeldError: If `data.yaml` cannot be read, or its classes are not those of the rule.
    """
    classes = read_classes(root)
    if rule.priority and (odd := sorted(set(rule.priority) ^ set(classes.values()))):
        raise WeldError(
            f"{root / NAMES_FILE}: its classes are {', '.join(classes.values())}, index.label_priority ranks "
            f"{', '.join(rule.priority)}; rank each of them once (different: {', '.join(odd)})"
        )
    images = {image: label_file for image in names.images if (label_file := label_file_of(image))}
    rows = [
        _row(root, names, image, label_file, classes=classes, rule=rule, session_pattern=session_pattern)
        for image, label_file in images.items()
    ]
    used = set(images.values())
    alone = [file for file in names.files if _is_label_file(file) and file not in used]
    rows += [
        IndexRow(file, SOURCE, file, problem="missing: no image of this name in the folder images; copy it there")
        for file in alone
    ]
    return rows + unclaimed(names, rows, files=names.images, source=SOURCE, why="lies in no folder `images`; move it")


def label_file_of(image: str) -> str | None:
    """Return the label file of an image, or None if it lies in no folder `images`.

    >>> label_file_of("train/images/a.b.jpg")
    'train/labels/a.b.txt'
    """
    parts = PurePosixPath(image).with_suffix(".txt").parts
    at = max((place for place, part in enumerate(parts[:-1]) if part == "images"), default=None)
    return None if at is None else "/".join([*parts[:at], "labels", *parts[at + 1 :]])


def read_classes(root: Path) -> dict[int, str]:
    """Return the class of each number in `data.yaml`.

    Raises:
        WeldError: If the file is missing, no YAML, or names no classes.
    """
    path = inside(root, NAMES_FILE)
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8-sig"))["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(number): str(name) for number, name in pairs}
    except FileNotFoundError as error:
        raise WeldError(f"{path}: no such file; it names the classes of the boxes, see index.layout") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise WeldError(f"{path}: names no classes ({error}); write `names: [good, bad]` there") from error


def classes_in(text: str, classes: Mapping[int, str]) -> list[str]:
    """Return the classes of the boxes in a label file, each once, in order.

    >>> classes_in("1 0.5 0.5 0.2 0.2", {0: "bad", 1: "good"})
    ['good']

    Raises:
        WeldError: If a line is no box or polygon of a known class.
    """
    present: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.split()
        if not cells:
            continue
        try:
            class_number, n_shares = int(cells[0]), len([float(cell) for cell in cells[1:]])
        except ValueError as error:
            raise WeldError(f"line {number} {line[:40]!r} is not made of numbers; mend it") from error
        if n_shares < _BOX_SHARES or n_shares % 2:
            raise WeldError(f"line {number} {line[:40]!r} is neither a box nor a polygon; mend it")
        if class_number not in classes:
            raise WeldError(
                f"line {number} has class {class_number}, which {NAMES_FILE} does not name; mend one of them"
            )
        present[classes[class_number]] = None
    return list(present)


def _row(
    root: Path,
    names: Names,
    image: str,
    label_file: str,
    *,
    classes: Mapping[int, str],
    rule: LabelRule,
    session_pattern: str | None,
) -> IndexRow:
    label, problem = None, None
    try:
        text = inside(root, label_file).read_text() if label_file in names.files_known else ""
        label, problem = _label(classes_in(text, classes), rule)
    except (WeldError, UnicodeDecodeError) as error:
        problem = f"bad_value: {label_file}: {error}"
    return IndexRow(
        sample_id=image,
        source=SOURCE,
        path=image,
        label=label,
        session=session_or(series_of(image), image, session_pattern),
        source_split=next((part for part in image.split("/")[:-1] if part.casefold() in SPLIT_OF_WORD), None),
        problem=problem,
    )


def _label(classes: Sequence[str], rule: LabelRule) -> tuple[str | None, str | None]:
    """Return the class of an image and what is wrong with it."""
    if not classes:
        problem = "unlabelled: no box gives its class; draw one, or give such images a class by index.label_if_empty"
        return rule.if_empty, None if rule.if_empty else problem
    if len(classes) == 1:
        return classes[0], None
    if rule.priority:
        return min(classes, key=list(rule.priority).index), None
    return None, f"label_conflict: its boxes are {', '.join(classes)}; rank the classes in index.label_priority"


def _is_label_file(file: str) -> bool:
    return file.endswith(".txt") and "labels" in file.split("/")[:-1]
