"""Image folders: the class of an image stands in its folder or its name (plain folders, RIAWELC, NEU)."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from weld_pipeline.media.suffixes import media_of
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, IndexRow, normal_name, session_or, unclaimed

# Files that lie beside images and are none; anything else in a class folder is tried, so that no image is lost.
_SIDE_SUFFIXES = (
    ".txt", ".md", ".csv", ".tsv", ".json", ".yml", ".yaml", ".xml", ".pdf", ".html", ".log", ".ini", ".db", ".npy",
    ".mat", ".zip", ".flac", ".wav", ".mp3",
)  # fmt: skip
IMAGE_FOLDERS = ("image", "images", "imgs", "img")

# Totino, Spagnolo, Perri 2022; folders of the public set, prefixes as its paper abbreviates the classes.
RIAWELC_CLASSES = {
    "difetto1": "lack_of_penetration", "difetto2": "porosity", "difetto4": "crack", "nodifetto": "no_defect",
    "lp": "lack_of_penetration", "po": "porosity", "cr": "crack", "nd": "no_defect",
}  # fmt: skip
# Its images are tiles of 29 films: `RRT-13R_Img1_A80_S3_[10][42].png` is row 10, column 42 of a strip of RRT-13R_Img1.
_TILE = re.compile(r"^(.+?)(?:_A\d+)?(?:_S\d+)?_?\[\d+\]\[\d+\]$")
# Song and Yan 2013, NEU-CLS and NEU-DET.
NEU_CLASSES = {
    "cr": "crazing", "in": "inclusion", "pa": "patches", "ps": "pitted_surface", "rs": "rolled_in_scale",
    "sc": "scratches", "crazing": "crazing", "inclusion": "inclusion", "patches": "patches",
    "pitted_surface": "pitted_surface", "rolled_in_scale": "rolled_in_scale", "scratches": "scratches",
}  # fmt: skip


def index_image_folders(names: Names, *, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each file that may be an image; its class is its first folder that names no split.

    Both `good_welds/7.png` and `train/good_welds/7.png` are understood, and a folder `images` on the way is ignored.

    Args:
        session_pattern: Regular expression on the path; its first group, or the whole match, is the session. A file
            without a match is its own session; so are all files without a pattern.
    """
    rows = []
    for file in (file for file in names.files if may_be_image(file)):
        split, folders = split_and_folders(file)
        problem = None if folders else "unknown_class: lies in no class folder; move it into one"
        label, session = folders[0] if folders else None, session_or(file, file, session_pattern)
        rows.append(IndexRow(file, "class_folders", file, label, session=session, source_split=split, problem=problem))
    return rows + unclaimed(names, rows, files=(), source="class_folders", why="")


def index_riawelc(names: Names, *, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each radiograph of RIAWELC; tiles of one film are one session.

    Args:
        session_pattern: See `index_image_folders`; without one, a file that is no tile is its own session.
    """
    return _index_known(names, "riawelc", RIAWELC_CLASSES, session_pattern=session_pattern)


def index_neu(names: Names, *, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each image of NEU-CLS or NEU-DET. All six classes are defects: there is no good one."""
    return _index_known(names, "neu", NEU_CLASSES, session_pattern=session_pattern)


def knows_all(names: Names, classes: Mapping[str, str]) -> bool:
    """Return whether there are images, and folder or name gives the class of each.

    Names count only where the folders cannot be classes of their own: `good/in_1.png` is no inclusion.
    """
    by_name = [file for file in names.images if not _label_of_folder(file, classes)]
    places = {tuple(split_and_folders(file)[1]) for file in by_name}
    return bool(names.images) and len(places) <= 1 and all(_label_of_name(file, classes) for file in by_name)


def _index_known(
    names: Names, source: str, classes: Mapping[str, str], *, session_pattern: str | None
) -> list[IndexRow]:
    rows = []
    for file in names.images:
        label = _known_label(file, classes)
        tile = _TILE.match(PurePosixPath(file).stem)
        session = session_or(tile.group(1) if tile else file, file, session_pattern)
        split, _ = split_and_folders(file)
        problem = None if label else f"unknown_class: neither folder nor name tells one of {', '.join(sorted(classes))}"
        rows.append(IndexRow(file, source, file, label, session=session, source_split=split, problem=problem))
    return rows + unclaimed(names, rows, files=(), source=source, why="")


def _known_label(file: str, classes: Mapping[str, str]) -> str | None:
    """Return the class of the innermost folder that names one, else the class named before the number in the file name."""
    return _label_of_folder(file, classes) or _label_of_name(file, classes)


def _label_of_folder(file: str, classes: Mapping[str, str]) -> str | None:
    labels = (classes.get(normal_name(folder)) for folder in reversed(file.split("/")[:-1]))
    return next((label for label in labels if label), None)


def _label_of_name(file: str, classes: Mapping[str, str]) -> str | None:
    return classes.get(normal_name(re.split(r"[-_ ]?\d", PurePosixPath(file).stem, maxsplit=1)[0]))


def split_and_folders(file: str) -> tuple[str | None, list[str]]:
    """Return the folder that names a split, and the others in order."""
    *folders, _ = file.split("/")
    split = next((folder for folder in folders if folder.casefold() in SPLIT_OF_WORD), None)
    return split, [folder for folder in folders if folder != split and folder.casefold() not in IMAGE_FOLDERS]


def may_be_image(file: str) -> bool:
    """Return whether a file is an image by its suffix, or nothing else that is known to lie beside images."""
    media = media_of(file)
    return media == "image" or (media is None and PurePosixPath(file).suffix.lower() not in _SIDE_SUFFIXES)
