"""Sheets of images with what a network says of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8

from weld_pipeline.core.files import inside
from weld_pipeline.media.heatmaps import heat_overlay
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image
from weld_pipeline.media.probe import thumbnail
from weld_pipeline.media.resize import resize_to_square
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image.attention import heat_maps
from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.report.sheets.contact_sheet import Tile, draw_sheet

_TILE_PX = 300
_COLUMNS = 3


def sample_sheet(
    predictions: pd.DataFrame,
    paths: Mapping[str, Path],
    classifier: ImageClassifier | None,
    *,
    sample_bits: int | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the images of some predictions with class, confidence and truth; wrong ones are framed.

    Args:
        predictions: In the common schema.
        classifier: Draws over each image what it looked at, and shows it as the network sees it; None shows the
            file's image alone.
        sample_bits: See `media.images.read_image`.
    """
    tiles = []
    for row in predictions.to_dict("records"):
        image = read_image(paths[row["sample_id"]], max_pixels=MAX_PROBED_PIXELS, sample_bits=sample_bits)
        shown = image if classifier is None else _with_heat(image, classifier)
        tiles.append(_prediction_tile(row).with_thumbnail(thumbnail(shown, width_px=_TILE_PX)))
    n_right = int((predictions["label"] == predictions["predicted"]).sum())
    heading = f"{len(tiles)} random images, {n_right} right (wrong ones framed in red)"
    return draw_sheet(tiles, heading=heading, n_columns=_COLUMNS, tile_px=_TILE_PX)


def label_error_sheet(
    suspects: pd.DataFrame, paths: Mapping[str, Path], *, sample_bits: int | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the images whose labels are doubted, the most doubted first.

    Args:
        suspects: `sample_id`, `label`, `suggested`, `p_label`, `p_suggested`.
        sample_bits: See `media.images.read_image`.
    """
    tiles = [
        Tile(
            key=row["sample_id"],
            title=f"labelled {row['label']} ({row['p_label']:.0%})",
            text=f"looks like {row['suggested']} ({row['p_suggested']:.0%}) · {row['sample_id']}",
            group=row["label"],
            thumbnail=thumbnail(
                read_image(paths[row["sample_id"]], max_pixels=MAX_PROBED_PIXELS, sample_bits=sample_bits),
                width_px=_TILE_PX,
            ),
        )
        for row in suspects.to_dict("records")
    ]
    heading = f"{len(tiles)} labels the network contradicts" if tiles else "the network contradicts no label"
    return draw_sheet(tiles, heading=heading, n_columns=_COLUMNS, tile_px=_TILE_PX)


def image_paths(manifest: pd.DataFrame, sample_ids: Sequence[str], *, root: Path) -> dict[str, Path]:
    """Return the file of each of some samples.

    Args:
        manifest: Names their paths relative to `root`.
    """
    path_of = manifest.set_index("sample_id")["path"]
    return {name: inside(root, path_of[name]) for name in sample_ids}


def _prediction_tile(row: Mapping[Any, Any]) -> Tile:
    predicted = row["predicted"]
    return Tile(
        key=row["sample_id"],
        title=f"{predicted} ({row[f'p_{predicted}']:.0%})",
        text=f"is {row['label']} · {row['session']}",
        group=row["label"],
        is_flagged=predicted != row["label"],
    )


def _with_heat(image: UInt8[np.ndarray, "H W 3"], classifier: ImageClassifier) -> UInt8[np.ndarray, "S S 3"]:
    preprocess = classifier.preprocess
    (view,) = crop_views("centre", resized_px=preprocess.resized_px, crop_px=preprocess.crop_px)
    square = resize_to_square(image, preprocess.resized_px, grey=preprocess.grey)
    resized = torch.from_numpy(square)[None]
    crop = preprocess.crop(resized, torch.from_numpy(view)[None])[:, 0]  # [1, S, S, C]
    heat, _ = heat_maps(classifier, crop)
    return heat_overlay(crop[0].expand(-1, -1, 3).contiguous().numpy(), heat[0])
