"""YOLO layout: photos with boxes, and the class of an image whose boxes have several classes.

`data.yaml`, or another yaml in the source folder, names the classes; beside each `…/images/<name>.jpg` lies
`…/labels/<name>.txt`, a line a box: class number, then centre and size, or the corners of a polygon, as shares of the
image, then perhaps a confidence. Every box counts, whatever its confidence. The paths in the yaml are of the machine that
exported it and are not used.
"""

import math
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
_YAMLS = (".yaml", ".yml")


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
        WeldError: If the yaml of classes cannot be read, there are several, or its classes are not those of the rule.
    """
    names_file = find_names_file(root, names) or NAMES_FILE
    classes = read_classes(root, names_file)
    if rule.priority and (odd := sorted(set(rule.priority) ^ set(classes.values()))):
        raise WeldError(
            f"{root / names_file}: its classes are {', '.join(classes.values())}, index.label_priority ranks "
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


def find_names_file(root: Path, names: Names) -> str | None:
    """Return the yaml in the source folder that names the classes: `data.yaml`, or the only other one that does.

    Returns:
        Its name; None where there is none, or no image has a place for labels, and so no box can be meant.

    Raises:
        WeldError: If several name classes, and none is `data.yaml`.
    """
    if not any(label_file_of(image) for image in names.images):
        return None
    yamls = [file for file in names.files if "/" not in file and file.lower().endswith(_YAMLS)]
    if NAMES_FILE in yamls:
        return NAMES_FILE
    naming = [file for file in yamls if names.are_here and _names_classes(root, file)]
    if len(naming) > 1:
        raise WeldError(f"source {root}: {' and '.join(naming)} name classes; call the right one {NAMES_FILE}")
    return naming[0] if naming else None


def _names_classes(root: Path, file: str) -> bool:
    try:
        return bool(read_classes(root, file))
    except WeldError:
        return False


def read_classes(root: Path, names_file: str = NAMES_FILE) -> dict[int, str]:
    """Return the class of each number in a yaml.

    Raises:
        WeldError: If the file is missing, no YAML, or names no classes.
    """
    path = inside(root, names_file)
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8-sig"))["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(number): str(name) for number, name in pairs}
    except FileNotFoundError as error:
        raise WeldError(f"{path}: no such file; it names the classes of the boxes, see index.layout") from error
    except OSError as error:
        raise WeldError(f"{path}: cannot be read ({error.strerror}); give yourself the right to read it") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise WeldError(f"{path}: names no classes ({error}); write `names: [good, bad]` there") from error


def classes_in(text: str, classes: Mapping[int, str]) -> list[str]:
    """Return the classes of the boxes in a label file, each once, in order.

    >>> classes_in("1 0.5 0.5 0.2 0.2", {0: "bad", 1: "good"})
    ['good']

    Raises:
        WeldError: If a line is no box or polygon of a known class.
    """
    lines = ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())
    return list(dict.fromkeys(_class_of_line(number, line, classes) for number, line in lines))


def _class_of_line(number: int, line: str, classes: Mapping[int, str]) -> str:
    try:
        class_number, *shares = (float(cell) for cell in line.split())
    except ValueError as error:
        raise WeldError(f"line {number} {line[:40]!r} is not made of numbers; mend it") from error
    if not all(map(math.isfinite, (class_number, *shares))):
        raise WeldError(f"line {number} {line[:40]!r} holds what is no finite number; mend it")
    if not class_number.is_integer():
        raise WeldError(f"line {number} has class {class_number:g}, which is no whole number; mend it")
    if not (_is_outline(shares) or (_is_outline(shares[:-1]) and 0 <= shares[-1] <= 1)):
        raise WeldError(f"line {number} {line[:40]!r} is neither a box nor a polygon; mend it")
    if (name := classes.get(int(class_number))) is None:
        raise WeldError(
            f"line {number} has class {class_number:.0f}, which the yaml of classes does not name; mend one of them"
        )
    return name


def _is_outline(shares: Sequence[float]) -> bool:
    """Return whether there are as many shares as a box or a polygon has."""
    return len(shares) >= _BOX_SHARES and len(shares) % 2 == 0


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
        label, problem = _label(classes_in(_read_boxes(root, names, label_file), classes), rule)
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


def _read_boxes(root: Path, names: Names, label_file: str) -> str:
    """Return the text of a label file; of an image without one, none.

    Raises:
        WeldError: If the file is there and cannot be read, or its folder is missing: then nobody said there is no box.
    """
    if why := names.unusable.get(label_file):
        raise WeldError(why)
    if (folder := label_file.rpartition("/")[0]) not in names.folders_known:
        raise WeldError(f"there is no folder {folder}; copy it here, or make an empty one if no image of it has a box")
    if label_file not in names.files_known:
        return ""
    try:
        return inside(root, label_file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WeldError(f"cannot be read ({error.strerror}); give yourself the right to read it") from error


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
