"""Scores and maps of prepared images: kept while nothing changed, made again when anything did, never not a number."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.anomaly.detectors import restore_detector
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.reference.model import ReferenceOptions, fit_reference, save_reference
from weld_pipeline.nn.anomaly.scoring import pending_scores
from weld_pipeline.nn.anomaly.trunk import MapTrunk

PX = 32
HOW = {"image_px": PX, "grey": True, "clahe_clip": 0.0, "smoothing": False, "mean": [0.5] * 3, "std": [0.25] * 3}
# More tiles than go through the network together.
N_TILES = {"one": 1, "long": 10}


def pixels(n, seed):
    noise = np.random.default_rng(seed).normal(0, 8, (n, PX, PX, 1))
    return np.clip(np.linspace(40, 200, PX)[:, None] + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return MapTrunk(name="mobilenetv2_035", crop_px=PX, layers=("blocks.1",), mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture(scope="module")
def detector(trunk):
    return fitted(trunk)


def fitted(trunk, *, map_sigma_px=1.0):
    good = MapPreprocess(**HOW).normalise(torch.from_numpy(pixels(6, 0)))
    options = ReferenceOptions("aligned", "variance", 0.5, map_sigma_px)
    return save_reference(fit_reference(trunk, [good], options)[0], {"preprocess": HOW})


@pytest.fixture
def images(tmp_path):
    return store_of(tmp_path / "images")


def store_of(folder, key="k"):
    store = TensorStore(folder)
    for seed, (name, n) in enumerate(N_TILES.items(), start=1):
        store.write(name, key, {"image": pixels(n, seed)})
    store.commit(dict.fromkeys(N_TILES, key))
    return store


def key(detector, images):
    return pending_scores(detector, images, ["one"]).items[0].key


def test_scores_and_maps_are_those_of_the_network(detector, images):
    work = pending_scores(detector, images, list(N_TILES))
    score_image = work.worker_factory()
    network, preprocess = restore_detector(detector), MapPreprocess(**HOW)
    for name, n in N_TILES.items():
        found = score_image(name)
        with torch.inference_mode():
            scores, maps = network(preprocess.normalise(torch.from_numpy(images[name]["image"])))
        assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
        assert (found["tile_scores"].shape, found["maps"].shape) == ((n,), (n, PX, PX))
        np.testing.assert_allclose(found["tile_scores"], scores, rtol=1e-4)
        np.testing.assert_allclose(found["maps"], maps, rtol=1e-3, atol=1e-4)
        assert found["score"].item() == found["tile_scores"].max()


def test_second_time_nothing_is_scored_again(detector, images, tmp_path):
    store = TensorStore(tmp_path / "maps")
    assert map_items(pending_scores(detector, images, list(N_TILES)), store).n_done == 2
    assert map_items(pending_scores(detector, images, list(N_TILES)), store).n_done == 0


def test_another_memory_image_or_smoothing_is_scored_again(detector, trunk, images, tmp_path):
    moved = replace(detector, tensors={**detector.tensors, "mean": detector.tensors["mean"] + 1})
    smoother = fitted(trunk, map_sigma_px=2.0)
    other_mean = replace(detector, provenance={"preprocess": HOW | {"mean": [0.4] * 3}})
    keys = [key(each, images) for each in (detector, moved, smoother, other_mean)]
    keys.append(key(detector, store_of(tmp_path / "renewed", key="another")))
    assert len(set(keys)) == 5
    assert key(replace(detector, training={"epochs": 3}), images) == keys[0]


def test_map_that_is_no_number_is_refused_by_its_image(detector, images):
    broken = np.full_like(detector.tensors["mean"], np.nan)
    work = pending_scores(replace(detector, tensors={**detector.tensors, "mean": broken}), images, ["one"])
    with pytest.raises(WeldError, match=r"image one: its score or map is not finite; .* fit it again"):
        work.worker_factory()("one")


def test_model_that_is_no_detector_is_refused(detector):
    with pytest.raises(
        WeldError, match=r"family 'classifier' is no anomaly detector; give a model of one of \['patchcore', 'ref"
    ):
        restore_detector(replace(detector, family="classifier"))
