"""Calibration units, which a threshold is chosen on: images, or the tiles of long ones."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from weld_pipeline.core.stores import TensorStore


def calibration_units(calib: pd.DataFrame, anomaly_maps: TensorStore, images: TensorStore) -> pd.DataFrame:
    """Return the units a threshold is chosen on: images, or their tiles where no image is good but some tile is.

    Radiographs of whole seams may all show a defect somewhere; only tiles of them are good.

    Args:
        calib: Rows of the calib split, with `sample_id`, `session`, `is_defect`, `score`.

    Returns:
        `sample_id`, `session`, `is_defect`, `score` and `unit`, which is `image` or `tile` throughout.
    """
    whole = calib[["sample_id", "session", "is_defect", "score"]].assign(unit="image")
    if calib.empty or not calib["is_defect"].all():
        return whole
    tiles = tile_rows(calib, anomaly_maps, images)
    return tiles.assign(unit="tile") if not tiles["is_defect"].all() else whole


def most_tiles(units: pd.DataFrame) -> int | None:
    """Return the tiles of the longest image, or None where the units are images."""
    return None if (units["unit"] == "image").all() else int(units["sample_id"].value_counts().max())


def tile_rows(rows: pd.DataFrame, anomaly_maps: TensorStore, images: TensorStore) -> pd.DataFrame:
    """Return the tiles of some images, a row each: `sample_id`, `session`, `is_defect` and `score`.

    A tile of a defective image without a mask counts as defective, though it may not be.
    """
    found = []
    for row in rows.to_dict("records"):
        name = row["sample_id"]
        is_clean, scores = images.part(name, "is_clean"), anomaly_maps.part(name, "tile_scores")
        found += [
            {"sample_id": name, "session": row["session"], "is_defect": not clean, "score": float(score)}
            for clean, score in zip(is_clean, scores, strict=True)
        ]
    return pd.DataFrame(found, columns=["sample_id", "session", "is_defect", "score"])


def good_maps(
    sample_ids: Sequence[str], anomaly_maps: TensorStore, images: TensorStore
) -> Iterator[Float[np.ndarray, "S S"]]:
    """Yield the maps of the clean tiles of some images, one at a time."""
    for name in sample_ids:
        for tile in np.flatnonzero(images.part(name, "is_clean")):
            yield anomaly_maps.part(name, "maps", int(tile))
