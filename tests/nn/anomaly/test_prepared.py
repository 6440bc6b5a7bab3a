"""Prepared images: when one is prepared again, and which of its tiles are clean."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.media.masks import MaskError
from weld_pipeline.media.resize import resize_to_square
from weld_pipeline.media.tiles import Tiling
from weld_pipeline.nn.anomaly.prepared import MaskedImage, pending_prepared
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess

HOW = {
    "image_px": 16,
    "grey": True,
    "clahe_clip": 2.0,
    "smoothing": True,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}
TILING = Tiling(tile_px=24, overlap_px=4)


@pytest.fixture
def image(tmp_path):
    """24 rows and 64 columns: tiles at columns 0, 20 and 40."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return MaskedImage("a", tmp_path / "a.png", "sha of a", is_defect=False, mask=None)


@pytest.fixture
def masked(image, tmp_path):
    """The same with a defect in columns 2 to 5, which only the first tile sees."""

    def of(columns=slice(2, 6)):
        marks = np.zeros((24, 64), dtype=np.uint8)
        marks[5:9, columns] = 255
        Image.fromarray(marks).save(tmp_path / "mask.png")
        return replace(image, is_defect=True, mask=tmp_path / "mask.png")

    return of


def pending(*images, tiling=None, n_workers=1, **how):
    return pending_prepared(images, preprocess=HOW | how, tiling=tiling, n_workers=n_workers)


def key(image, **how):
    return pending(image, **how).items[0].key


def prepared(image, tiling=None):
    work = pending(image, tiling=tiling)
    return work.worker_factory()(image)


@pytest.mark.parametrize(
    "change",
    [
        {"image_px": 24},
        {"grey": False},
        {"clahe_clip": 3.0},
        {"smoothing": False},
        {"tiling": TILING},
        {"tiling": Tiling(24, 5)},
    ],
)
def test_what_changes_a_prepared_image_changes_its_key(image, change):
    assert key(image, **change) != key(image)
    assert key(image, **change) != key(image, tiling=Tiling(24, 6))


def test_mean_spread_and_workers_do_not_change_the_key(image):
    assert key(image, mean=[0.1] * 3, std=[0.2] * 3, n_workers=4) == key(image)


def test_content_truth_and_mask_change_the_key(image, masked):
    drawn = masked()
    keys = [
        key(image),
        key(replace(image, sha256="another")),
        key(replace(image, is_defect=True)),
        key(drawn),
    ]
    masked(slice(40, 60))  # drawn anew in the same file
    keys.append(key(drawn))
    assert len(set(keys)) == 5


def test_image_is_prepared_as_the_graph_does_it(image):
    found = prepared(image)
    pixels = resize_to_square(np.asarray(Image.open(image.path)), 16, grey=True)
    assert found["image"].shape == (1, 16, 16, 1)
    assert np.array_equal(found["image"], MapPreprocess(**HOW).prepare(torch.from_numpy(pixels)[None]).numpy())
    assert found["is_clean"].tolist() == [True]


def test_each_tile_is_prepared_as_an_image_of_its_own(image):
    found = prepared(image, TILING)["image"]
    pixels = np.asarray(Image.open(image.path))
    for tile, left in zip(found, (0, 20, 40), strict=True):
        square = torch.from_numpy(resize_to_square(pixels[:, left : left + 24], 16, grey=True))
        assert np.array_equal(tile[None], MapPreprocess(**HOW).prepare(square[None]).numpy())


@pytest.mark.parametrize(
    ("columns", "clean"),
    [
        (slice(2, 6), [False, True, True]),
        (slice(21, 23), [False, False, True]),  # in the overlap of the first two
        (slice(0, 64), [False, False, False]),
        (slice(0, 0), [False, False, False]),  # a defect nobody marked may be anywhere
    ],
)
def test_tile_is_clean_where_the_mask_marks_nothing(masked, columns, clean):
    assert prepared(masked(columns), TILING)["is_clean"].tolist() == clean


def test_no_tile_of_a_defective_image_without_mask_is_clean(image):
    assert not prepared(replace(image, is_defect=True), TILING)["is_clean"].any()
    assert prepared(image, TILING)["is_clean"].all()


def test_mask_of_another_size_is_refused_by_name(image, tmp_path):
    Image.new("L", (24, 64)).save(tmp_path / "turned.png")
    with pytest.raises(MaskError, match=r"turned\.png: the mask is 24×64 px, its image 64×24 px"):
        prepared(replace(image, is_defect=True, mask=tmp_path / "turned.png"))


@pytest.mark.parametrize("n_workers", [1, 2])
def test_second_time_nothing_is_prepared_again(image, masked, tmp_path, n_workers):
    store = TensorStore(tmp_path / "store")
    images = [image, replace(masked(), sample_id="b")]
    assert map_items(pending(*images, n_workers=n_workers), store).n_done == 2
    assert map_items(pending(*images), store).n_done == 0
    assert map_items(pending(image, replace(images[1], is_defect=False)), store).n_done == 1
