"""Sets of images that both sides of `benchmarks.anomalib` fit and are judged on, copied into one plain layout."""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from PIL import Image

from weld_pipeline.sources.layouts.masks_beside import tiles_of_shots

_GOOD_OF_TIG = 0
_MARKED = 127  # levels of a mask above it are defect: the magnetic tiles' are not strictly two


@dataclass(frozen=True)
class Tested:
    """An image to be judged.

    Attributes:
        file: Of the image.
        is_defect: Whether it shows one.
        mask: Where; None if nobody marked it.
    """

    file: Path
    is_defect: bool
    mask: Path | None = None


@dataclass(frozen=True)
class ImageSet:
    """Good images to fit, others to be judged on.

    Attributes:
        name: Of the set.
        good: Folder of copies of the good images to fit, and nothing else.
        tested: The rest.
        has_masks: Whether pixels can be judged.
    """

    name: str
    good: Path
    tested: list[Tested]
    has_masks: bool

    @property
    def n_good(self) -> int:
        """Return the number of good images to fit."""
        return len(list(self.good.iterdir()))


def image_sets(root: Path, folder: Path) -> list[ImageSet]:
    """Return the sets found under `root`, each as the split below parts it.

    Args:
        root: Holds any of `hazelnut`, `magnetic_tile`, `tig_ss304`, and other folders in MVTec's layout.
        folder: Where good images are copied to.
    """
    mvtec = [path.parent.parent for path in sorted(root.glob("*/train/good"))]
    sets = [_mvtec(path, folder) for path in mvtec]
    if (root / "magnetic_tile").is_dir():
        sets.append(_magnetic_tile(root / "magnetic_tile", folder))
    if (root / "tig_ss304").is_dir():
        sets.append(_tig(root / "tig_ss304", folder))
    return sets


def _mvtec(root: Path, folder: Path) -> ImageSet:
    """Return the set as its own folders part it."""
    tested = []
    for path in sorted((root / "test").glob("*/*")):
        masks = sorted((root / "ground_truth" / path.parent.name).glob(f"{path.stem}*"))
        tested.append(Tested(path, path.parent.name != "good", masks[0] if masks else None))
    good = _copied(sorted((root / "train" / "good").iterdir()), folder / root.name)
    return ImageSet(root.name, good, tested, has_masks=True)


def _magnetic_tile(root: Path, folder: Path) -> ImageSet:
    """Return Free images parted two to one, all shots of a tile on one side; a tile shown defective is never fitted."""
    files = sorted(root.glob("*/Imgs/*.jpg"))
    tile_of = tiles_of_shots([path.relative_to(root).as_posix() for path in files])
    tiles = [tile_of[path.relative_to(root).as_posix()] for path in files]
    is_defect = [path.parent.parent.name != "MT_Free" for path in files]
    broken = {tile for tile, defect in zip(tiles, is_defect, strict=True) if defect}
    whole = sorted(set(tiles) - broken)
    fitted = {tile for place, tile in enumerate(whole) if place % 3}
    good = [path for path, tile in zip(files, tiles, strict=True) if tile in fitted]
    tested = [
        Tested(path, defect, path.with_suffix(".png") if defect else None)
        for path, tile, defect in zip(files, tiles, is_defect, strict=True)
        if tile not in fitted
    ]
    return ImageSet("magnetic_tile", _copied(good, folder / "magnetic_tile"), tested, has_masks=True)


def _tig(root: Path, folder: Path) -> ImageSet:
    """Return its own split: the good of train, all of valid; nobody marked where the defects are."""
    kinds = {split: json.loads((root / split / f"{split}.json").read_text()) for split in ("train", "valid")}
    good = [root / "train" / name for name, kind in sorted(kinds["train"].items()) if kind == _GOOD_OF_TIG]
    tested = [Tested(root / "valid" / name, kind != _GOOD_OF_TIG) for name, kind in sorted(kinds["valid"].items())]
    return ImageSet("tig_ss304", _copied(good, folder / "tig_ss304"), tested, has_masks=False)


def _copied(files: Iterable[Path], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        shutil.copyfile(file, folder / f"{number:05d}{file.suffix.lower()}")
    return folder


def masks(tested: Sequence[Tested], *, side_px: int) -> Bool[np.ndarray, "N S S"]:
    """Return where each image is defective, at the maps' size by the nearest pixel; nowhere if it has no mask."""
    found = np.zeros((len(tested), side_px, side_px), dtype=bool)
    for row, each in enumerate(tested):
        if each.mask is not None:
            levels = Image.open(each.mask).convert("L").resize((side_px, side_px), Image.Resampling.NEAREST)
            found[row] = np.asarray(levels) > _MARKED
    return found


def many_images(sources: Sequence[Path], folder: Path, *, n: int) -> Path:
    """Return a folder of `n` good images: the sources over and over, each time flipped and lightened otherwise."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(n):
        pixels = np.asarray(Image.open(sources[number % len(sources)]).convert("RGB"), np.float32)
        pixels = pixels[:, :: generator.choice((-1, 1))] * generator.uniform(0.9, 1.1)
        pixels += generator.normal(0, 2, pixels.shape)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05d}.png", compress_level=1)
    return folder
