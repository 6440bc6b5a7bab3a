"""Mask folders: `mask/crack/7.png` beside `crack/7.png`, told from a class of such a name.

A folder is one of masks by its name (mask, ground_truth, label, annotations, …, in any case, number and spelling, also
`crack_mask`) and by what it holds: files that belong to images of the same name, and that look like masks. Where name and
content disagree, nothing is guessed: the run stops and names the key that decides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import read_image
from weld_pipeline.media.suffixes import media_of
from weld_pipeline.sources.layouts.image_folders import may_be_image
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.mask_names import ImagesByName, Key, mask_key
from weld_pipeline.sources.layouts.rows import IndexRow, normal_name

# A mask has few pixel values: its kinds of defect, and those of a rim where it was resized or saved lossily. In 95 % of
# the pixels a photograph has more, also a dark one.
_MAX_MASK_VALUES, _SHARE = 16, 0.95
_N_LOOKED_AT = 8


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
        if found := mask_key(file, classes, mask_folders):
            in_folder[found[0]].append((file, found[1]))
    masks = frozenset(file for entries in in_folder.values() for file, _ in entries)
    images = ImagesByName([file for file in files if file not in masks], good_names)
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
    are_images = all(media_of(file) == "image" for file in files)
    return folder if there == set(files) and are_images else None
