"""Exports of labelling tools that no layout reads, named so that nobody takes their folders for classes.

COCO, Pascal VOC, CVAT, labelme, CreateML, Label Studio, VIA, a csv of boxes and YOLO without its yaml keep classes in files of their own, beside
images that lie in no class folder. Where images do lie in class folders, these win, and such files are left alone.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.sources.layouts.image_folders import split_and_folders
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, normal_name

_HEAD_BYTES = 4096
_MAX_JSON_BYTES = 1 << 30
# Folders that such exports have, and that are no classes: images, train2017, JPEGImages, obj_train_data, …
_CONTAINER = re.compile(
    r"(?:(?:obj|train|val|valid|test)_)*(?:images?|imgs?|jpegimages|pngimages|data|default)(?:_\d+)?|unlabel+ed\d*"
)
_BOX = re.compile(rb"\s*\d+(?:\.0*)?(?:\s+\d*\.\d+){4,}\s*")


def export_of(root: Path, names: Names) -> tuple[str, str] | None:
    """Return a file of an export that holds the classes, and the export's name; None where images lie in class folders."""
    if not names.are_here or any(_in_class_folder(file) for file in names.images):
        return None
    found = ((file, tool) for file in names.files if (tool := _tool_of(root, file)))
    return next(found, None)


def refuse_export(root: Path, names: Names) -> None:
    """Refuse a source whose classes stand in an export that no layout reads."""
    if found := export_of(root, names):
        file, tool = found
        raise WeldError(
            f"source {root}: {file} is {tool}, which is not read; export it as YOLO (data.yaml, images, labels), sort the "
            "images into a folder per class, or list them with their classes in labels.csv"
        )


def _in_class_folder(file: str) -> bool:
    _, folders = split_and_folders(file)
    names = (normal_name(folder) for folder in folders)
    return any(not (_CONTAINER.fullmatch(name) or name.rstrip("0123456789_") in SPLIT_OF_WORD) for name in names)


def _tool_of(root: Path, file: str) -> str | None:
    suffix = file.lower().rpartition(".")[2]
    read = {"json": _tool_of_json, "xml": _tool_of_xml, "csv": _tool_of_csv, "txt": _tool_of_txt}.get(suffix)
    try:
        return read(inside(root, file)) if read else None
    except (OSError, ValueError, RecursionError, WeldError):
        return None  # no file of such a tool, whatever else


def _tool_of_json(path: Path) -> str | None:
    if path.stat().st_size > _MAX_JSON_BYTES:
        return None
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return None
    checks: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "a COCO export": lambda found: {"images", "annotations", "categories"} <= set(found),
        "an annotation of labelme": lambda found: {"shapes", "imagePath"} <= set(found),
        "a CreateML export": lambda found: {"image", "annotations"} <= set(found),
        "a Label Studio export": lambda found: "data" in found and bool({"annotations", "completions"} & set(found)),
        "a VIA export": lambda found: "_via_img_metadata" in found or _is_via(next(iter(found.values()), None)),
    }
    return next((tool for tool, fits in checks.items() if fits(first)), None)


def _is_via(entry: object) -> bool:
    return isinstance(entry, dict) and {"filename", "regions"} <= set(entry)


def _tool_of_xml(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if b"<annotations" in head:
        return "a CVAT export"
    return "an annotation of Pascal VOC" if b"<annotation" in head and b"<filename" in head else None


def _tool_of_csv(path: Path) -> str | None:
    with path.open("rb") as file:
        cells = {cell.strip().lower() for cell in file.readline(_HEAD_BYTES).split(b",")}
    return "a csv of boxes" if {b"filename", b"xmin", b"ymax"} <= cells else None


def _tool_of_txt(path: Path) -> str | None:
    with path.open("rb") as file:
        is_box = _BOX.fullmatch(file.readline(_HEAD_BYTES))
    return "a label file of YOLO without the yaml or the folders of it" if is_box else None
