"""Masks beside images: `crack/7.jpg` and `crack/7.png`; the magnetic-tile set is one of these.

The magnetic-tile set (Huang, Qiu, Yuan 2018) names its images `MT_Crack/Imgs/exp3_num_3223.jpg`: shot 3223, under
exposure 3 of seven. The same tile was shot under rising exposures, and its shots must not cross splits.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from weld_pipeline.sources.layouts.image_folders import may_be_image, split_and_folders
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.mask_folders import orphan_masks
from weld_pipeline.sources.layouts.rows import IndexRow, session_or, unclaimed

SOURCE = "masks_beside"
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".bmp")
_SHOT = re.compile(r"exp(\d+)_num_(\d+)")
_TILE_CLASS = re.compile(r"MT_(\w+)")
# Numbers of a tile grow by 20 from exposure to exposure, by at most 167 where some are missing; then comes a gap, and a
# tile's next shot may follow a new first exposure within the same 200. Two tiles joined wrongly cost balance; one tile
# parted wrongly would cost honesty.
_MAX_SHOTS_APART = 200


def has_masks_beside(names: Names) -> bool:
    """Return whether at least half of the jpg and bmp images have a png of the same name beside them."""
    files = [file for file in names.files if _is_plain(file)]
    return bool(files) and 2 * len(_masks_of(names)) >= len(files)


def index_masks_beside(names: Names, *, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each image, and for each mask without one.

    A png beside a jpg or bmp of the same name is its mask; one without an image, in a folder where others are masks, is
    taken for a mask that lost its image. The class is the folder, as in plain folders; of `MT_Crack` it is `crack`, and
    `MT_Free` is `good`. The exposure of a shot is its configuration.

    Args:
        session_pattern: Regular expression on the path; without one, or without a match, the session is the tile
            (see `tiles_of_shots`), of other names the file itself.
    """
    mask_of = _masks_of(names)
    masks = set(mask_of.values())
    folders = {mask.rpartition("/")[0] for mask in masks}
    lost = [file for file in names.files if file.lower().endswith(".png") and file.rpartition("/")[0] in folders]
    masks.update(lost)
    files = [file for file in names.files if may_be_image(file) and file not in masks]
    tile_of = tiles_of_shots(files)
    rows = [_row(file, mask_of.get(file), tile=tile_of.get(file, file), pattern=session_pattern) for file in files]
    return [
        *rows,
        *orphan_masks(rows, sorted(masks), source=SOURCE),
        *unclaimed(names, rows, files=(), source=SOURCE, why=""),
    ]


def tiles_of_shots(files: Sequence[str]) -> dict[str, str]:
    """Return the tile of each file named as a shot: shots whose numbers follow closely are of one.

    >>> tiles_of_shots(["a/exp1_num_3191.jpg", "b/exp6_num_3279.jpg", "a/exp4_num_3724.jpg", "a/other.jpg"])
    {'a/exp1_num_3191.jpg': 'tile_3191', 'b/exp6_num_3279.jpg': 'tile_3191', 'a/exp4_num_3724.jpg': 'tile_3724'}
    """
    matches = ((_SHOT.fullmatch(PurePosixPath(file).stem), file) for file in files)
    shots = sorted((int(match.group(2)), file) for match, file in matches if match)
    tiles: dict[str, str] = {}
    first = last = 0
    for number, file in shots:
        if not tiles or number - last > _MAX_SHOTS_APART:
            first = number
        last = number
        tiles[file] = f"tile_{first}"
    return tiles


def _row(file: str, mask: str | None, *, tile: str, pattern: str | None) -> IndexRow:
    split, folders = split_and_folders(file)
    shot = _SHOT.fullmatch(PurePosixPath(file).stem)
    return IndexRow(
        file,
        SOURCE,
        file,
        _label(folders[0]) if folders else None,
        session=session_or(tile, file, pattern),
        config=f"exposure_{shot.group(1)}" if shot else None,
        source_split=split,
        mask_path=mask,
        problem=None if folders else "unknown_class: lies in no class folder; move it into one",
    )


def _label(folder: str) -> str:
    """Return the class a folder names."""
    tile_class = _TILE_CLASS.fullmatch(folder)
    name = tile_class.group(1).casefold() if tile_class else folder
    return "good" if tile_class and name == "free" else name


def _is_plain(file: str) -> bool:
    return file.lower().endswith(_IMAGE_SUFFIXES)


def _masks_of(names: Names) -> dict[str, str]:
    """Return the png of the same name beside an image, of each that has one; suffixes may be in capitals."""
    pngs = {str(PurePosixPath(file).with_suffix("")): file for file in names.files if file.lower().endswith(".png")}
    stems = {file: str(PurePosixPath(file).with_suffix("")) for file in names.files if _is_plain(file)}
    return {file: pngs[stem] for file, stem in stems.items() if stem in pngs}
