"""Mask names: which folders are named as those of masks, and which image a mask is named after."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from weld_pipeline.media.suffixes import IMAGE_SUFFIXES
from weld_pipeline.sources.layouts.image_folders import IMAGE_FOLDERS
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, normal_name

_STRONG_WORD = re.compile(
    r"(?:seg|label)?masks?|gts?|(?:ground)?truths?|labels?|annot(?:ation)?s?|annotated|segm?s?|segmentations?(?:class|object)?"
)
_WEAK_WORD = re.compile(r"ground|pixel|binary|images?|imgs?|png|defects?|anomaly|class|object|maps?")
# What tools add to the name of an image for its mask, at the end or, rarely, at the start: 007_mask, 007_label_1, mask_007.
_ADDED = r"(?:ground[-_ ]?truth|masks?|gt|labels?|labelmask|annot\w*|seg\w*|bw|binary)"
_ENDING = re.compile(rf"[-_. ]+{_ADDED}(?:[-_ ]?\d+)?$", re.IGNORECASE)
_START = re.compile(rf"^{_ADDED}[-_. ]+", re.IGNORECASE)

Key = tuple[tuple[str, ...], str]  # folders and stem, as an image and its mask share them


class ImagesByName:
    """Images by the keys under which their masks look for them.

    Args:
        good_names: Class folders whose images need no mask.
    """

    def __init__(self, files: Sequence[str], good_names: Collection[str]) -> None:
        self._good = {normal_name(name) for name in good_names}
        self._of_key: dict[Key, list[str]] = defaultdict(list)
        self._of_stem: dict[str, list[str]] = defaultdict(list)
        for file in files:
            path = PurePosixPath(file)
            folders, _ = _key(path.parts[:-1], path.stem)
            for where in {folders, _without_splits(folders)}:
                for stem in {path.stem, normal_name(path.stem)}:
                    self._of_key[where, stem].append(file)
            self._of_stem[path.stem].append(file)

    def of(self, key: Key) -> str | None:
        """Return the image of a mask: in the same folders, else in any split, else the only defective one of its name."""
        folders, stem = key
        tries = [(folders, stem), (folders, without_ending(stem))]
        if folders:  # crack/007/000.png: one of several masks of crack/007
            tries.append((folders[:-1], folders[-1]))
        for where, name in tries:
            found = self._of_key.get((where, name)) or self._of_key.get((_without_splits(where), name))
            if not found and not _without_splits(where):
                found = self._of_stem.get(name, [])
                found = found if len(found) == 1 else [file for file in found if not self._is_good(file)]
            if found and len(found) == 1:
                return found[0]
        return None

    def _is_good(self, file: str) -> bool:
        return any(normal_name(folder) in self._good for folder in file.split("/")[:-1])


def mask_key(file: str, classes: Collection[str], mask_folders: Sequence[str] | None) -> tuple[str, Key] | None:
    """Return the folder of masks a file lies in, up to the root, and the key of its image; None if it lies in none."""
    path = PurePosixPath(file)
    parts = path.parts[:-1]
    rests = [_rest_of_name(part, classes) for part in parts]
    if mask_folders is not None:
        named = [normal_name(name) for name in mask_folders]
        rests = [(rest or "") if normal_name(part) in named else None for part, rest in zip(parts, rests, strict=True)]
    place = next((place for place, rest in enumerate(rests) if rest is not None), None)
    if place is None:
        return None
    left = [part if rest is None else rest for part, rest in zip(parts, rests, strict=True)]
    return "/".join(parts[: place + 1]), _key([part for part in left if part], path.stem)


def without_ending(stem: str) -> str:
    """Return the name of the image to a mask's name.

    >>> without_ending("007_mask"), without_ending("mask-7"), without_ending("7.jpg"), without_ending("7")
    ('007', '7', '7', '7')
    """
    name = _START.sub("", _ENDING.sub("", stem)) or stem
    return name.rpartition(".")[0] if name.lower().endswith(IMAGE_SUFFIXES) else name


def _rest_of_name(folder: str, classes: Collection[str]) -> str | None:
    """Return what a folder of masks is named besides: `crack` of `crack_mask`, nothing of `masks`; None of any other folder.

    >>> _rest_of_name("Ground Truth", set()), _rest_of_name("crack_mask", {"crack"}), _rest_of_name("good_label", set())
    ('', 'crack', None)
    """
    words = normal_name(folder).split("_")
    others = [word for word in words if not _STRONG_WORD.fullmatch(word)]
    if len(others) == len(words):
        return None
    if all(_WEAK_WORD.fullmatch(word) for word in others):
        return ""
    return rest if (rest := "_".join(others)) in classes else None


def _key(folders: Sequence[str], stem: str) -> Key:
    kept = (normal_name(folder) for folder in folders if folder.casefold() not in IMAGE_FOLDERS)
    return tuple(kept), stem


def _without_splits(folders: Sequence[str]) -> tuple[str, ...]:
    return tuple(folder for folder in folders if folder not in SPLIT_OF_WORD)
