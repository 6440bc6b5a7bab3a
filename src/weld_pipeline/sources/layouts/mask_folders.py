"""Mask folders: `mask/crack/7.png` beside `crack/7.png`, told from a class of such a name.

A folder is one of masks by its name (mask, ground_truth, label, annotations, …, in any case, number and spelling, also
`crack_mask`) and by what it holds: files that belong to images of the same name, and that look like masks. Where name and
content disagree, nothing is guessed: the run stops and names the key that decides.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.media.images import IMAGE_SUFFIXES, ImageError, read_image
from weld_pipeline.sources.layouts.image_folders import IMAGE_FOLDERS, may_be_image
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, IndexRow, normal_name

_STRONG_WORD = re.compile(
    r"(?:seg|label)?masks?|gts?|(?:ground)?truths?|labels?|annot(?:ation)?s?|annotated|segm?s?|segmentations?(?:class|object)?"
)
_WEAK_WORD = re.compile(r"ground|pixel|binary|images?|imgs?|png|defects?|anomaly|class|object|maps?")
# What tools add to the name of an image for its mask, at the end or, rarely, at the start: 007_mask, 007_label_1, mask_007.
_ADDED = r"(?:ground[-_ ]?truth|masks?|gt|labels?|labelmask|annot\w*|seg\w*|bw|binary)"
_ENDING = re.compile(rf"[-_. ]+{_ADDED}(?:[-_ ]?\d+)?$", re.IGNORECASE)
_START = re.compile(rf"^{_ADDED}[-_. ]+", re.IGNORECASE)
# A mask has few pixel values: its kinds of defect, and those of a rim where it was resized or saved lossily. In 95 % of
# the pixels a photograph has more, also a dark one.
_MAX_MASK_VALUES, _SHARE = 16, 0.95
_N_LOOKED_AT = 8

Key = tuple[tuple[str, ...], str]  # folders and stem, as an image and its mask share them


@dataclass(frozen=True)
class MaskFolders:
    """Masks found in folders of their own.

    Attributes:
        mask_of: Mask of each image that has one: a file, or a folder with several files of which any may mark a pixel.
        files: Every file in a folder of masks.
        several: Files of each image that has several masks in no folder of their own.
    """

    mask_of: Mapping[str, str]
    files: frozenset[str]
    several: Mapping[str, Sequence[str]]


def find_mask_folders(
    root: Path, names: Names, *, mask_folders: Sequence[str] | None, good_names: Collection[str]
) -> MaskFolders:
    """Return the masks in folders of their own beside class folders.

    Args:
        root: The source folder; some files of each folder of such a name are looked at. Those of a listing are not.
        mask_folders: Names of folders that hold masks, `[]` for none; None finds them.
        good_names: Names of the folder of good images: a mask that may belong to several images is not one of theirs.

    Raises:
        WeldError: If name and content of a folder disagree, so that it may be a class, or a named folder is not there.
    """
    here = {normal_name(folder.rpartition("/")[2]) for folder in names.folders}
    if absent := [name for name in mask_folders or () if normal_name(name) not in here]:
        raise WeldError(f"source {root}: has no folder {absent[0]!r}, which index.mask_folders names; mend the key")
    files = [file for file in names.files if may_be_image(file)]
    classes = {normal_name(folder) for file in files for folder in file.split("/")[:-1]}
    in_folder: defaultdict[str, list[tuple[str, Key]]] = defaultdict(list)
    for file in files:
        if found := _mask_key(file, classes, mask_folders):
            in_folder[found[0]].append((file, found[1]))
    masks = frozenset(file for entries in in_folder.values() for file, _ in entries)
    images = _Images([file for file in files if file not in masks], good_names)
    masks_of: defaultdict[str, list[str]] = defaultdict(list)
    for folder, entries in sorted(in_folder.items()):
        pairs = {file: image for file, key in entries if (image := images.of(key))}
        if mask_folders is None:
            _check(root, names, folder, files=[file for file, _ in entries], pairs=pairs)
        for file, image in pairs.items():
            masks_of[image].append(file)
    return paired(masks_of, masks, names)


def paired(masks_of: Mapping[str, Sequence[str]], files: Iterable[str], names: Names) -> MaskFolders:
    """Return masks paired with images.

    Args:
        masks_of: Files of masks of each image that has any.
        files: All files of masks, also those that belong to no image.
    """
    mask_of = {image: mask for image, found in masks_of.items() if (mask := _one_mask(found, names))}
    several = {image: found for image, found in masks_of.items() if image not in mask_of}
    return MaskFolders(mask_of, frozenset(files), several)


def with_masks(rows: Sequence[IndexRow], found: MaskFolders) -> list[IndexRow]:
    """Return the rows with their masks, then one for each file of a folder of masks that belongs to no image."""
    masked = []
    for row in rows:
        mask, several = found.mask_of.get(row.path), found.several.get(row.path)
        problem = (
            f"label_conflict: has the masks {', '.join(several)}; put them in a folder of its name" if several else None
        )
        masked.append(replace(row, mask_path=row.mask_path or mask, problem=row.problem or problem))
    source = rows[0].source if rows else "class_folders"
    in_doubt = {file for files in found.several.values() for file in files}
    return masked + orphan_masks(masked, sorted(found.files - in_doubt), source=source)


def orphan_masks(rows: Sequence[IndexRow], masks: Iterable[str], *, source: str) -> list[IndexRow]:
    """Return a row for each mask that belongs to no image, by itself or with the folder it lies in."""
    claimed = {row.mask_path for row in rows}
    problem = "missing: there is no image to this mask; copy it here, or take the mask away"
    alone = (mask for mask in masks if mask not in claimed and mask.rpartition("/")[0] not in claimed)
    return [IndexRow(mask, source, mask, problem=problem) for mask in alone]


def without_ending(stem: str) -> str:
    """Return the name of the image to a mask's name.

    >>> without_ending("007_mask"), without_ending("mask-7"), without_ending("7.jpg"), without_ending("7")
    ('007', '7', '7', '7')
    """
    name = _START.sub("", _ENDING.sub("", stem)) or stem
    return name.rpartition(".")[0] if name.lower().endswith(IMAGE_SUFFIXES) else name


class _Images:
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


def _mask_key(file: str, classes: Collection[str], mask_folders: Sequence[str] | None) -> tuple[str, Key] | None:
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


def _check(root: Path, names: Names, folder: str, *, files: Sequence[str], pairs: Mapping[str, str]) -> None:
    """Refuse a folder that is named as one of masks and may be a class."""
    decide = (
        f"if it holds masks, set index.mask_folders to [{PurePosixPath(folder).name}]; if it is a class, set it to []"
    )
    if 2 * len(pairs) < len(files):
        raise WeldError(
            f"source {root}: folder {folder} is named like one of masks, but only {len(pairs)} of its {len(files)} files "
            f"bear the name of exactly one image (not e.g. {next(file for file in files if file not in pairs)}); {decide}"
        )
    looked_at = list(pairs)[:: max(1, len(pairs) // _N_LOOKED_AT)] if names.are_here else []
    if odd := next((file for file in looked_at if not _looks_like_mask(root, file)), None):
        raise WeldError(
            f"source {root}: folder {folder} is named like one of masks, but {odd} looks like a photograph; {decide}"
        )


def _looks_like_mask(root: Path, file: str) -> bool:
    """Return whether an image has as few pixel values as a mask; True if it cannot be read, so that its row says so."""
    try:
        values = read_image(inside(root, file)).reshape(-1, 3)
    except (ImageError, WeldError):
        return True
    counts = np.sort(np.bincount(values.max(axis=1)))[::-1]
    return bool(counts[:_MAX_MASK_VALUES].sum() >= _SHARE * counts.sum())


def _one_mask(files: Sequence[str], names: Names) -> str | None:
    """Return the only mask of an image, or the folder that holds its masks and nothing else; None if there is neither."""
    if len(files) == 1:
        return files[0]
    folder = files[0].rpartition("/")[0]
    there = {f"{folder}/{name}" for name in names.files_in[folder] if may_be_image(name)}
    are_images = all(PurePosixPath(file).suffix.lower() in IMAGE_SUFFIXES for file in files)
    return folder if there == set(files) and are_images else None
