"""Map reader: maps at the size of their images, with masks and pixels."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.evaluation.anomaly.map_reader import MapReader
from weld_pipeline.media.tiles import Tiling

HEIGHT, WIDTH = 20, 36
TILING = Tiling(tile_px=20, overlap_px=4)


@pytest.fixture
def read(tmp_path):
    """Reads images a, with a mask, and b, without one; their maps are of the numbers given for each tile."""
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    mask[3:6, 10:20] = 255
    for name, values in {"a.png": pixels, "b.png": pixels, "a_mask.png": mask}.items():
        Image.fromarray(values).save(tmp_path / name)
    manifest = pd.DataFrame(
        [("a", "a.png", "a_mask.png", True, HEIGHT, WIDTH), ("b", "b.png", None, False, HEIGHT, WIDTH)],
        columns=["sample_id", "path", "mask_path", "is_defect", "height", "width"],
    ).astype({"mask_path": "string"})

    def of(tile_values, *, tiling=None, manifest=manifest):
        store = TensorStore(tmp_path / "maps")
        maps = np.broadcast_to(np.array(tile_values, np.float32)[:, None, None], (len(tile_values), 8, 8))
        for name in ("a", "b"):
            store.write(name, "k", {"maps": maps})
        store.commit(dict.fromkeys("ab", "k"))
        return MapReader(store, manifest, tmp_path, tiling)

    return of


def test_map_has_the_size_of_its_image(read):
    found = read([7.0]).map("a")
    assert (found.shape, found.dtype) == ((HEIGHT, WIDTH), np.dtype(np.float32))
    np.testing.assert_allclose(found, 7.0, rtol=1e-6)


def test_tiles_are_put_where_they_were_cut(read):
    found = read([1.0, 3.0], tiling=TILING).map("a")
    assert found.shape == (HEIGHT, WIDTH)
    # Tiles begin at columns 0 and 16 and share four.
    np.testing.assert_allclose(found[:, :16], 1.0, rtol=1e-6)
    np.testing.assert_allclose(found[:, 20:], 3.0, rtol=1e-6)
    assert (np.diff(found[10, 15:21]) > 0).all()


def test_maps_cut_otherwise_than_the_reader_thinks_are_no_map(read):
    with pytest.raises(ValueError, match="zip"):
        read([1.0, 3.0, 5.0], tiling=TILING).map("a")


def test_mask_is_read_where_there_is_one(read):
    reader = read([1.0])
    assert reader.mask("b") is None
    mask = reader.mask("a")
    assert (mask.dtype, mask.shape, mask.sum()) == (np.dtype(bool), (HEIGHT, WIDTH), 30)


def test_samples_and_sheets_hold_the_same_map_and_mask(read):
    reader = read([2.0])
    first, second = reader.pixel_samples(["a", "b"])
    assert (first.sample_id, first.is_defect, second.is_defect) == ("a", True, False)
    assert second.mask is None
    shown = reader.mapped_image("a")
    assert np.array_equal(shown.mask, first.mask)
    assert np.array_equal(shown.anomaly_map, first.anomaly_map)
    assert shown.pixels.shape == (HEIGHT, WIDTH, 3)


def test_mask_outside_the_source_is_refused(read, tmp_path):
    manifest = pd.DataFrame(
        [("a", "a.png", "../secret.png", True, HEIGHT, WIDTH)],
        columns=["sample_id", "path", "mask_path", "is_defect", "height", "width"],
    )
    with pytest.raises(WeldError, match="secret"):
        read([1.0], manifest=manifest).mask("a")
