"""Folders of masks beside class folders, and classes that bear such a name."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.masks import read_mask
from weld_pipeline.sources.image_index import ImageReading, index_images
from weld_pipeline.sources.probing import pending_image_probes

CLASSES = [*(f"good/{n}.png" for n in range(4)), "crack/0.png", "crack/1.png", "pore/0.png"]


def photograph(seed):
    return np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)


def mask(n_marked=3):
    pixels = np.zeros((12, 12), dtype=np.uint8)
    pixels[0, :n_marked] = 255
    return pixels


def save(root, paths, draw):
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(number)).save(root / path)


def rows(root, **reading):
    return {row.path: row for row in index_images(root, ImageReading(**{"good_class": "good"} | reading))}


def masks_of(root, **reading):
    return {path: row.mask_path for path, row in rows(root, **reading).items() if row.mask_path}


@pytest.mark.parametrize(
    "folder",
    ["mask", "masks", "Mask", "ground_truth", "Ground Truth", "GroundTruth", "label", "labels", "LABEL", "annotation",
     "Annotations", "gt", "GT", "segmentation", "SegmentationClass", "binary_masks"],
)  # fmt: skip
def test_folder_of_masks_is_no_class(tmp_path, folder):
    save(tmp_path, CLASSES, photograph)
    save(tmp_path, [f"{folder}/crack/0.png", f"{folder}/crack/1.png", f"{folder}/pore/0.png"], lambda _: mask())
    indexed = rows(tmp_path)
    assert Counter(row.label for row in indexed.values()) == {"good": 4, "crack": 2, "pore": 1}
    assert masks_of(tmp_path) == {image: f"{folder}/{image}" for image in CLASSES if not image.startswith("good")}
    assert not [row.problem for row in indexed.values() if row.problem]


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("train/crack/{}.png", "train/masks/crack/{}.png"),
        ("train/crack/{}.png", "masks/train/crack/{}.png"),
        ("train/crack/{}.png", "ground_truth/crack/{}_mask.png"),
        ("crack/images/{}.jpg", "crack/label/{}.png"),
        ("crack/{}.png", "masks/{}_GT.png"),
        ("crack/{}.jpg", "crack_mask/{}.bmp"),
        ("crack/{}.jpg", "Masks/crack/{}.jpg.png"),
        ("crack/IMG-{}.png", "gt/crack/IMG-{}/000.png"),
    ],
)
def test_masks_find_their_images_in_any_nesting(tmp_path, images, masks):
    split = "train/" if images.startswith("train") else ""
    save(tmp_path, [f"{split}good/{n}.png" for n in range(3)], photograph)
    save(tmp_path, [images.format(n) for n in range(2)], photograph)
    save(tmp_path, [masks.format(n, n) for n in range(2)], lambda _: mask())
    assert masks_of(tmp_path) == {images.format(n): masks.format(n, n) for n in range(2)}
    assert Counter(row.label for row in rows(tmp_path).values()) == {"good": 3, "crack": 2}


def test_masks_lie_beside_the_classes_of_riawelc_too(tmp_path):
    save(tmp_path, ["NoDifetto/1.png", "Difetto4/1.png"], photograph)
    save(tmp_path, ["masks/Difetto4/1.png"], lambda _: mask())
    indexed = rows(tmp_path, good_class="no_defect")
    assert indexed["Difetto4/1.png"].source == "riawelc"
    assert indexed["Difetto4/1.png"].mask_path == "masks/Difetto4/1.png"
    assert len(indexed) == 2


def test_class_that_is_named_like_masks_is_not_lost(tmp_path):
    save(tmp_path, [*CLASSES, "label/7.png", "label/8.png"], photograph)
    with pytest.raises(
        WeldError, match=r"folder label is named like one of masks, but only 0 of its 2 files .*\[label\]"
    ):
        rows(tmp_path)
    assert rows(tmp_path, mask_folders=())["label/7.png"].label == "label"


def test_photographs_that_bear_the_names_of_others_are_not_taken_for_masks(tmp_path):
    save(tmp_path, ["good/0.png", "good/1.png", "label/2.png", "label/3.png"], photograph)
    save(tmp_path, ["crack/2.png", "crack/3.png"], photograph)
    with pytest.raises(
        WeldError, match=r"label/2\.png looks like a photograph; if it holds masks, set index\.mask_folders"
    ):
        rows(tmp_path)
    assert Counter(row.label for row in rows(tmp_path, mask_folders=()).values()) == {"good": 2, "crack": 2, "label": 2}
    assert set(masks_of(tmp_path, mask_folders=("label",))) == {"crack/2.png", "crack/3.png"}


def test_folder_of_masks_may_bear_any_name_that_the_key_says(tmp_path):
    save(tmp_path, CLASSES, photograph)
    save(tmp_path, ["drawn/crack/0.png"], lambda _: mask())
    assert masks_of(tmp_path, mask_folders=("drawn",)) == {"crack/0.png": "drawn/crack/0.png"}
    with pytest.raises(WeldError, match=r"has no folder 'drown', which index\.mask_folders names"):
        rows(tmp_path, mask_folders=("drown",))


def test_mask_without_an_image_is_a_row_with_a_reason(tmp_path):
    save(tmp_path, CLASSES, photograph)
    save(tmp_path, ["mask/crack/0.png", "mask/crack/9.png"], lambda _: mask())
    row = rows(tmp_path)["mask/crack/9.png"]
    assert (row.label, row.problem.split(";")[0]) == (None, "missing: there is no image to this mask")


def test_two_masks_of_an_image_in_no_folder_of_their_own_are_a_conflict(tmp_path):
    save(tmp_path, CLASSES, photograph)
    save(tmp_path, ["mask/crack/0.png", "mask/crack/0_mask.png", "mask/crack/1.png"], lambda _: mask())
    indexed = rows(tmp_path)
    assert indexed["crack/0.png"].problem.startswith(
        "label_conflict: has the masks mask/crack/0.png, mask/crack/0_mask.png"
    )
    assert len(indexed) == len(CLASSES)


def test_several_masks_in_a_folder_mark_together(tmp_path):
    paths = [f"ground_truth/crack/0/{n:03d}.png" for n in range(2)]
    save(tmp_path, ["test/good/0.png", "test/crack/0.png", "train/good/1.png"], photograph)
    save(tmp_path, paths, lambda number: np.roll(mask(), 6 * number))
    (tmp_path / "defects_config.json").write_text('[{"defect_name": "crack", "pixel_value": 255}]')
    row = rows(tmp_path)["test/crack/0.png"]
    assert (row.source, row.mask_path) == ("mvtec", "ground_truth/crack/0")
    assert len(rows(tmp_path)) == 3
    assert read_mask(tmp_path / row.mask_path, height=12, width=12).sum() == 6


def test_change_of_one_of_several_masks_is_seen(tmp_path):
    save(tmp_path, ["a.png"], photograph)
    save(tmp_path, ["m/0.png", "m/1.png"], lambda _: mask())

    def key():
        pending = pending_image_probes(
            tmp_path, {"a": "a.png"}, masks={"a": "m"}, max_pixels=1000, thumbnail_px=32, n_workers=1
        )
        return pending.items[0].key

    before = key()
    save(tmp_path, ["m/1.png"], lambda _: mask(12))
    assert key() != before
