"""Sheets of images with what an anomaly detector saw in them: input, mask, map and overlay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from weld_pipeline.media.heatmaps import MapRange, anomaly_overlay, heat_colours, heat_of, resize_map, resize_mask
from weld_pipeline.media.probe import thumbnail
from weld_pipeline.report.sheets.contact_sheet import Tile, draw_sheet, pick_evenly

_PANEL_PX, _GAP_PX = 230, 4
_LONG_PX = 900  # width of a panel of a long image
_LONG = 0.4  # height over width below which panels stand below each other rather than side by side
_UNKNOWN, _PAPER = 190, 255


@dataclass(frozen=True)
class SheetImage:
    """One image of a sheet.

    Attributes:
        pixels: RGB.
        anomaly_map: Higher is worse; of any size.
        mask: True where the defect is; None where nobody drew one.
    """

    pixels: UInt8[np.ndarray, "H W 3"]
    anomaly_map: Float[np.ndarray, "h w"]
    mask: Bool[np.ndarray, "H W"] | None


def pick_images(rows: pd.DataFrame, *, score_threshold: float, n: int) -> pd.DataFrame:
    """Return up to `n` images to look at: wrong verdicts, then right ones, spread evenly over the labels.

    Escaped defects come before rejected good images, and within each the furthest beyond the threshold first. Wrong
    ones take half of the places, and more where there are fewer right ones.

    Args:
        rows: `sample_id`, `label`, `is_defect` and `score`.
        score_threshold: An image fails where its score is at or above it.
        n: How many at most.
    """
    is_defect = rows["is_defect"].astype(bool)
    table = rows.assign(is_wrong=(rows["score"] >= score_threshold) != is_defect)
    table = table.assign(is_reject=~is_defect, margin=-(table["score"] - score_threshold).abs())
    wrong = table[table["is_wrong"]].sort_values(["is_reject", "margin", "sample_id"])
    right = table[~table["is_wrong"]].sort_values(["label", "score", "sample_id"])
    n_wrong = min(len(wrong), max((n + 1) // 2, n - len(right)))
    tiles = [Tile(key=str(place), title="", text="", group=label) for place, label in enumerate(right["label"])]
    spread = [int(tile.key) for tile in pick_evenly(tiles, n - n_wrong)]
    return pd.concat([wrong.head(n_wrong), right.iloc[spread]])[[*rows.columns, "is_wrong"]].reset_index(drop=True)


def anomaly_sheet(
    rows: pd.DataFrame,
    read: Callable[[str], SheetImage],
    *,
    score_threshold: float,
    shown: MapRange,
    n: int,
    n_columns: int = 2,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return some images, each as input, mask, map and overlay; wrong verdicts are framed in red.

    In the overlay a white contour encloses what is hotter than good images get, a green one the mask. The four stand
    below each other where the first image is long, as a radiograph of a seam is.

    Args:
        rows: All judged images: `sample_id`, `label`, `is_defect` and `score`.
        read: Sample id to what is to be seen; called for one at a time.
        score_threshold: An image fails where its score is at or above it.
        shown: How maps are coloured.
        n: How many images at most.
        n_columns: Images in a row, where they are not long.
    """
    picked = pick_images(rows, score_threshold=score_threshold, n=n)
    tiles, blocks, is_long = [], [(1, 1)], False
    for number, row in enumerate(picked.to_dict("records")):
        image = read(row["sample_id"])
        if not number:
            is_long = image.pixels.shape[0] < _LONG * image.pixels.shape[1]
        block = panels(image, shown, is_defect=bool(row["is_defect"]), is_long=is_long)
        blocks.append(block.shape[:2])
        tiles.append(_tile(row, score_threshold).with_thumbnail(thumbnail(block, width_px=block.shape[1])))
    return draw_sheet(
        tiles,
        heading=_heading(rows, picked, score_threshold),
        n_columns=1 if is_long else n_columns,
        tile_px=max(width for _, width in blocks),
        aspect=max(height for height, _ in blocks) / max(width for _, width in blocks),
    )


def panels(image: SheetImage, shown: MapRange, *, is_defect: bool, is_long: bool) -> UInt8[np.ndarray, "H W 3"]:
    """Return input, mask, map and overlay, from left to right, or from top to bottom of a long image.

    Args:
        image: What is to be seen.
        shown: How its map is coloured.
        is_defect: A good image without a mask has a black one, a defective one a grey one: nobody knows.
        is_long: Whether they stand below each other.
    """
    height, width = image.pixels.shape[:2]
    scale = min(1.0, _LONG_PX / width) if is_long else _PANEL_PX / max(height, width)
    size = {"height": max(1, round(height * scale)), "width": max(1, round(width * scale))}
    small = np.asarray(Image.fromarray(image.pixels).resize((size["width"], size["height"]), reducing_gap=2.0))
    sized = resize_map(image.anomaly_map, **size)
    mask = None if image.mask is None else resize_mask(image.mask, **size)
    marks = np.zeros_like(small) if mask is None else np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2)
    if mask is None and is_defect:
        marks = np.full_like(small, _UNKNOWN)
    heat = heat_colours(heat_of(sized, low=shown.low, high=shown.high))
    over = anomaly_overlay(small, sized, low=shown.low, high=shown.high, threshold=shown.threshold, mask=mask)
    return _joined([small, marks, heat, over], axis=0 if is_long else 1)


def _tile(row: Mapping[Any, Any], score_threshold: float) -> Tile:
    verdict = "fails" if row["score"] >= score_threshold else "passes"
    return Tile(
        key=row["sample_id"],
        title=f"{row['label']} · {verdict}: score {row['score']:.3g}, threshold {score_threshold:.3g}",
        text=row["sample_id"],
        group=row["label"],
        is_flagged=bool(row["is_wrong"]),
    )


def _joined(parts: list[np.ndarray], *, axis: int) -> UInt8[np.ndarray, "H W 3"]:
    shape = list(parts[0].shape)
    shape[axis] = _GAP_PX
    gap = np.full(shape, _PAPER, np.uint8)
    return np.concatenate([each for part in parts for each in (part, gap)][:-1], axis=axis)


def _heading(rows: pd.DataFrame, picked: pd.DataFrame, score_threshold: float) -> str:
    fails, is_defect = rows["score"] >= score_threshold, rows["is_defect"].astype(bool)
    escaped, rejected = int((~fails & is_defect).sum()), int((fails & ~is_defect).sum())
    shows = "input, mask, map, overlay (white: found, green: mask)"
    return (
        f"{len(picked)} of {len(rows)}: {shows}. Of all, {escaped} escape and {rejected} are rejected though good (red)"
    )
