"""Anomaly sheets: images of a set with their mask, their anomaly map and its overlay."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from weld_pipeline.evaluation.anomaly.map_reader import MappedImage
from weld_pipeline.evaluation.anomaly.score_histogram import ScoreHistogram, bins_of
from weld_pipeline.media.heatmaps import anomaly_overlay, heat_colours, heat_of, resize_map, resize_mask
from weld_pipeline.media.probe import thumbnail
from weld_pipeline.report.sheets.contact_sheet import Tile, draw_sheet, pick_evenly

_PANEL_PX, _GAP_PX = 230, 4
_LONG_PX = 900  # width of a panel of a long image
_LONG = 0.4  # height over width below which panels stand below each other rather than side by side
_UNKNOWN, _PAPER = 190, 255
_INK = (27, 36, 48)
_LOW_SHARE, _HIGH_SHARE = 0.5, 0.999  # share of the pixels below the ends of the colours
_BAR_PX, _BAR_HEIGHT_PX, _FONT_PX, _LINE_PX = 360, 14, 12, 16


@dataclass(frozen=True)
class ColourRange:
    """Range of map values that the colours of a sheet cover.

    Attributes:
        low: Value up to which a map is black.
        high: Value from which a map is light yellow.
    """

    low: float
    high: float


def colour_range(maps: Iterable[Float[np.ndarray, "_ _"]]) -> ColourRange:
    """Return the range of some maps: from their median to the value that one pixel in a thousand exceeds.

    Maps pass by once and are counted in a histogram, so memory does not grow with their number. Extremes do not count,
    or one hot pixel would darken all maps. Maps of one value get a range above it, so that they stay black.
    """
    histogram = ScoreHistogram(np.int64)
    for each in maps:
        histogram.add(bins_of(each).ravel())
    low, high = histogram.quantile(_LOW_SHARE), histogram.quantile(_HIGH_SHARE)
    return ColourRange(low, high if high > low else low + (abs(low) or 1.0))


def pick_images(rows: pd.DataFrame, *, score_threshold: float, n: int) -> pd.DataFrame:
    """Return up to `n` images to look at: wrong verdicts, then right ones of every label.

    Escaped defects come before rejected good images, and of each kind those farthest from the threshold come first. Wrong
    verdicts take half of the places, and more where there are few right ones.

    Args:
        rows: `sample_id`, `label`, `is_defect` and `score`.
    """
    is_defect = rows["is_defect"].astype(bool)
    table = rows.assign(is_wrong=(rows["score"] >= score_threshold) != is_defect)
    table = table.assign(is_reject=~is_defect, margin=-(table["score"] - score_threshold).abs())
    wrong = table[table["is_wrong"]].sort_values(["is_reject", "margin", "sample_id"])
    right = table[~table["is_wrong"]].sort_values(["label", "score", "sample_id"])
    n_wrong = min(len(wrong), max((n + 1) // 2, n - len(right)))
    tiles = [Tile(key=str(place), title="", text="", group=label) for place, label in enumerate(right["label"])]
    places = [int(tile.key) for tile in pick_evenly(tiles, n - n_wrong)]
    return pd.concat([wrong.head(n_wrong), right.iloc[places]])[[*rows.columns, "is_wrong"]].reset_index(drop=True)


def anomaly_sheet(
    rows: pd.DataFrame,
    read: Callable[[str], MappedImage],
    *,
    score_threshold: float,
    map_threshold: float,
    n: int,
    n_columns: int = 2,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return some images, each as input, mask, map and overlay; wrong verdicts are framed in red.

    One range of colours, taken from the maps on the sheet, serves them all, and a colour bar shows where the threshold
    lies in it. In the overlay a white contour encloses the pixels at or above the threshold, a green one the mask. The
    four panels stand below each other where the first image is long, as a radiograph of a seam is.

    Args:
        rows: All judged images: `sample_id`, `label`, `is_defect` and `score`.
        read: Function from a sample id to its image; called twice for each image, for one at a time.
        score_threshold: Score at or above which an image fails.
        map_threshold: Value of a map at or above which a pixel is marked.
        n_columns: Images in a row, where they are not long.
    """
    picked = pick_images(rows, score_threshold=score_threshold, n=n)
    colours = colour_range(read(name).anomaly_map for name in picked["sample_id"])
    tiles, blocks, is_long = [], [(1, 1)], False
    for number, row in enumerate(picked.to_dict("records")):
        image = read(row["sample_id"])
        if not number:
            is_long = image.pixels.shape[0] < _LONG * image.pixels.shape[1]
        block = panels(image, colours, map_threshold=map_threshold, is_defect=bool(row["is_defect"]), is_long=is_long)
        blocks.append(block.shape[:2])
        tiles.append(_tile(row, score_threshold).with_thumbnail(thumbnail(block, width_px=block.shape[1])))
    return draw_sheet(
        tiles,
        heading=_heading(rows, picked, score_threshold),
        n_columns=1 if is_long else n_columns,
        tile_px=max(width for _, width in blocks),
        aspect=max(height for height, _ in blocks) / max(width for _, width in blocks),
        legend=colour_bar(colours, map_threshold=map_threshold),
    )


def panels(
    image: MappedImage, colours: ColourRange, *, map_threshold: float, is_defect: bool, is_long: bool
) -> UInt8[np.ndarray, "H W 3"]:
    """Return input, mask, map and overlay, from left to right, or from top to bottom of a long image.

    Args:
        map_threshold: Value that the white contour encloses.
        is_defect: Whether the image is defective. Without a mask its mask panel is grey, that of a good image black.
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
    heat = heat_colours(heat_of(sized, low=colours.low, high=colours.high))
    over = anomaly_overlay(small, sized, low=colours.low, high=colours.high, threshold=map_threshold, mask=mask)
    return _joined([small, marks, heat, over], axis=0 if is_long else 1)


def colour_bar(colours: ColourRange, *, map_threshold: float) -> UInt8[np.ndarray, "H W 3"]:
    """Return the colours of a sheet with the values at their ends, and a mark at the threshold or beside the nearer end."""
    share = (map_threshold - colours.low) / (colours.high - colours.low)
    note = f"map threshold {map_threshold:.3g}"
    if share > 1:
        note += ", above all colours"
    elif share < 0:
        note += ", below all colours"
    font = ImageFont.load_default(_FONT_PX)
    ends = [f"map value {colours.low:.3g}", f"{colours.high:.3g}"]
    left = round(font.getlength(ends[0])) + 2 * _GAP_PX
    right = left + _BAR_PX
    mark = left + round(min(max(share, 0.0), 1.0) * (_BAR_PX - 1))
    width = max(right + round(font.getlength(ends[1])), mark + round(font.getlength(note))) + 4 * _GAP_PX
    strip = Image.new("RGB", (width, _BAR_HEIGHT_PX + _LINE_PX + _GAP_PX), (_PAPER,) * 3)
    heat = np.tile(np.linspace(0, 1, _BAR_PX, dtype=np.float32), (_BAR_HEIGHT_PX, 1))
    strip.paste(Image.fromarray(heat_colours(heat)), (left, 0))
    pen = ImageDraw.Draw(strip)
    pen.text((0, 0), ends[0], _INK, font=font)
    pen.text((right + 2 * _GAP_PX, 0), ends[1], _INK, font=font)
    if 0 <= share <= 1:
        pen.line((mark, 0, mark, _BAR_HEIGHT_PX - 1), (_PAPER,) * 3, width=3)
    pen.polygon([(mark, _BAR_HEIGHT_PX), (mark - 4, _BAR_HEIGHT_PX + 7), (mark + 4, _BAR_HEIGHT_PX + 7)], _INK)
    pen.text((mark + 2 * _GAP_PX, _BAR_HEIGHT_PX + 1), note, _INK, font=font)
    return np.array(strip)


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
    shows = "input, mask, map, overlay (white: at or above the map threshold, green: mask)"
    return (
        f"{len(picked)} of {len(rows)}: {shows}. Of all, {escaped} escape and {rejected} are rejected though good (red)"
    )
