"""What a threshold is chosen on, and which maps colours are chosen by."""

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.anomaly.calibration_units import calibration_units, good_maps, most_tiles, tile_rows

CLEAN = {"a": [True, True], "b": [False, True], "c": [False, False]}
SCORES = {"a": [1.0, 2.0], "b": [9.0, 3.0], "c": [8.0, 7.0]}


@pytest.fixture
def stores(tmp_path):
    """Maps and images of three seams of two tiles; each map holds its tile's score."""
    maps, images = TensorStore(tmp_path / "maps"), TensorStore(tmp_path / "images")
    for name, scores in SCORES.items():
        values = np.array(scores, np.float32)
        tile_maps = np.broadcast_to(values[:, None, None], (2, 4, 4)).copy()
        maps.write(name, "k", {"tile_scores": values, "maps": tile_maps})
        images.write(name, "k", {"image": np.zeros((2, 4, 4, 1), np.uint8), "is_clean": np.array(CLEAN[name])})
    for store in (maps, images):
        store.commit(dict.fromkeys(SCORES, "k"))
    return maps, images


def rows(**is_defect):
    columns = ["sample_id", "session", "is_defect", "score"]
    values = [(name, f"day {name}", flag, max(SCORES[name])) for name, flag in is_defect.items()]
    return pd.DataFrame(values, columns=columns).astype({"is_defect": bool, "score": float})


def test_threshold_is_chosen_on_images_where_one_is_good(stores):
    units = calibration_units(rows(a=False, b=True), *stores)
    assert units.to_dict("list") == {
        "sample_id": ["a", "b"],
        "session": ["day a", "day b"],
        "is_defect": [False, True],
        "score": [2.0, 9.0],
        "unit": ["image", "image"],
    }
    assert most_tiles(units) is None


def test_threshold_is_chosen_on_tiles_where_no_image_is_good(stores):
    units = calibration_units(rows(b=True, c=True), *stores)
    assert units["score"].tolist() == [9.0, 3.0, 8.0, 7.0]
    assert units["is_defect"].tolist() == [True, False, True, True]
    assert set(units["unit"]) == {"tile"}
    assert most_tiles(units) == 2


def test_images_are_kept_where_no_tile_is_good_either(stores):
    assert calibration_units(rows(c=True), *stores)["unit"].tolist() == ["image"]


def test_nothing_to_choose_on_stays_nothing(stores):
    assert calibration_units(rows(), *stores).empty


def test_tiles_know_their_image_and_session(stores):
    assert tile_rows(rows(b=True), *stores).to_dict("records") == [
        {"sample_id": "b", "session": "day b", "is_defect": True, "score": 9.0},
        {"sample_id": "b", "session": "day b", "is_defect": False, "score": 3.0},
    ]


def test_colours_are_chosen_by_maps_of_clean_tiles_alone(stores):
    assert [float(each.max()) for each in good_maps(["a", "b", "c"], *stores)] == [1.0, 2.0, 3.0]
