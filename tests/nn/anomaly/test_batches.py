"""Good tiles as the network gets them."""

import numpy as np
import torch

from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.anomaly.batches import normalised_batches
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess

HOW = {"image_px": 8, "grey": True, "clahe_clip": 0.0, "smoothing": False}


def test_clean_tiles_come_in_order_and_normalised(tmp_path):
    store = TensorStore(tmp_path)
    for number, (name, clean) in enumerate({"a": [True, True], "b": [False, True], "c": [True, False]}.items()):
        tiles = np.full((2, 8, 8, 1), 20 * number, np.uint8)
        tiles[1] += 10
        store.write(name, "k", {"image": tiles, "is_clean": np.array(clean)})
    store.commit(dict.fromkeys("abc", "k"))
    preprocess = MapPreprocess(**HOW, mean=[0.5] * 3, std=[0.25] * 3)
    batches = list(normalised_batches(GoodTiles(store, ["a", "b", "c"], "train"), preprocess, batch_size=3))
    assert [tuple(batch.shape) for batch in batches] == [(3, 3, 8, 8), (1, 3, 8, 8)]
    values = torch.cat(batches)[:, 0, 0, 0] * 0.25 + 0.5
    torch.testing.assert_close(values * 255, torch.tensor([0.0, 10.0, 30.0, 40.0]))
