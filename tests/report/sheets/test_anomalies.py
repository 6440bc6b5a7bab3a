"""Anomaly sheets: picked images, colours of the set's own range, and the threshold in them."""

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.evaluation.anomaly.map_reader import MappedImage
from weld_pipeline.report.sheets.anomalies import (
    ColourRange,
    anomaly_sheet,
    colour_bar,
    colour_range,
    panels,
    pick_images,
)

RED = (194, 69, 58)
COLOURS = ColourRange(low=0.0, high=2.0)
WIDTH, GAP = 230, 4  # of a panel
ROWS = pd.DataFrame(
    [
        ("escaped barely", "crack", True, 0.9),
        ("escaped widely", "crack", True, 0.1),
        ("rejected", "good", False, 5.0),
        *((f"passed {n}", "good", False, 0.2) for n in range(6)),
        *((f"caught crack {n}", "crack", True, 3.0) for n in range(6)),
        *((f"caught pore {n}", "pore", True, 3.0) for n in range(6)),
    ],
    columns=["sample_id", "label", "is_defect", "score"],
)


def scored(height=40, width=60, *, mask=None, peak=2.0):
    anomaly_map = np.zeros((8, 8), np.float32)
    anomaly_map[2:5, 2:5] = peak
    return MappedImage(np.full((height, width, 3), 120, np.uint8), anomaly_map, mask)


def is_red(sheet):
    return bool((np.abs(sheet.astype(int) - RED).max(axis=2) < 3).any())


def test_worst_mistakes_come_first_then_right_ones_of_every_label() -> None:
    picked = pick_images(ROWS, score_threshold=1.0, n=12)
    assert picked["sample_id"].tolist()[:3] == ["escaped widely", "escaped barely", "rejected"]
    assert picked["is_wrong"].tolist() == [True] * 3 + [False] * 9
    assert picked["label"][3:].value_counts().to_dict() == {"good": 3, "crack": 3, "pore": 3}


def test_mistakes_leave_half_of_the_places_to_right_ones() -> None:
    picked = pick_images(ROWS, score_threshold=1.0, n=4)
    assert picked["is_wrong"].tolist() == [True, True, False, False]
    all_wrong = ROWS.assign(score=np.where(ROWS["is_defect"], 0.0, 2.0))
    assert pick_images(all_wrong, score_threshold=1.0, n=4)["is_wrong"].all()


def test_score_at_the_threshold_fails() -> None:
    rows = pd.DataFrame({"sample_id": ["a"], "label": ["good"], "is_defect": [False], "score": [1.0]})
    assert pick_images(rows, score_threshold=1.0, n=1)["is_wrong"].tolist() == [True]


def test_only_what_is_shown_is_read_and_mistakes_are_framed() -> None:
    read = []

    def look(sample_id):
        read.append(sample_id)
        return scored()

    sheet = anomaly_sheet(ROWS, look, score_threshold=1.0, map_threshold=1.0, n=4)
    assert len(set(read)) == 4
    assert len(read) == 8  # once for the range of the colours, once to draw
    assert is_red(sheet)
    right = ROWS[ROWS["sample_id"].str.startswith(("passed", "caught"))]
    assert not is_red(anomaly_sheet(right, look, score_threshold=1.0, map_threshold=1.0, n=4))


def test_panels_are_input_mask_map_and_overlay() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:25, 15:38] = True
    shown = panels(scored(mask=mask), COLOURS, map_threshold=1.0, is_defect=True, is_long=False)
    height, width = shown.shape[0], (shown.shape[1] - 3 * 4) // 4
    assert (height, width) == (153, 230)  # 40 × 60 px made 230 wide
    image, marks, heat, over = (shown[:, place * (width + 4) :][:, :width] for place in range(4))
    assert (image == 120).all()
    assert np.abs((marks == 255).all(axis=2).mean() - mask.mean()) < 0.02
    assert heat[:20, 150:].max() < 10  # black where the map is low, bright where it is high
    assert heat[60, 85].max() > 200
    assert (over == (255, 255, 255)).all(axis=2).any()
    assert (over == (64, 224, 120)).all(axis=2).any()


def test_unknown_mask_is_grey_and_that_of_a_good_image_black() -> None:
    for is_defect, value in ((True, 190), (False, 0)):
        shown = panels(scored(), COLOURS, map_threshold=1.0, is_defect=is_defect, is_long=False)
        assert (shown[:, 234:464] == value).all()


def test_long_images_stand_below_each_other() -> None:
    shown = panels(scored(100, 1800), COLOURS, map_threshold=1.0, is_defect=False, is_long=True)
    assert shown.shape == (4 * 50 + 3 * 4, 900, 3)
    sheet = anomaly_sheet(ROWS, lambda _: scored(100, 1800), score_threshold=1.0, map_threshold=1.0, n=4)
    assert sheet.shape[1] == 920  # one column, with its margins
    wide = anomaly_sheet(ROWS, lambda _: scored(), score_threshold=1.0, map_threshold=1.0, n=4)
    assert wide.shape[1] == 2 * (4 * 230 + 12 + 10) + 10


def test_colours_reach_from_the_median_to_all_but_a_thousandth() -> None:
    values = np.random.default_rng(0).permutation(100_000).astype(np.float32).reshape(10, 100, 100)
    found = colour_range(iter(values))
    assert found.low == pytest.approx(50_000, rel=1e-4)
    assert found.high == pytest.approx(99_900, rel=1e-4)


def test_colours_do_not_follow_a_single_hot_pixel() -> None:
    values = np.linspace(0, 1, 100_000, dtype=np.float32).reshape(10, 100, 100)
    values[0, 0, 0] = 1e6
    assert colour_range(values).high < 1


@pytest.mark.parametrize("peak", [2.0, 0.02])
@pytest.mark.parametrize(("threshold", "share_marked"), [(1e3, 0.0), (-1.0, 1.0)])
def test_set_where_all_pass_or_all_fail_shows_its_maps(peak, threshold, share_marked) -> None:
    image = scored(peak=peak)
    colours = colour_range([image.anomaly_map])
    shown = panels(image, colours, map_threshold=threshold, is_defect=False, is_long=False)
    heat, over = shown[:, 2 * (WIDTH + GAP) :][:, :WIDTH], shown[:, 3 * (WIDTH + GAP) :]
    assert heat.max() > 200  # however small the values, and wherever the threshold lies
    rim = np.concatenate([over[0], over[-1]])  # the contour runs along the border if all is marked
    assert (rim == 255).all(axis=1).mean() == share_marked


def test_maps_of_one_value_are_black() -> None:
    image = MappedImage(np.full((40, 60, 3), 120, np.uint8), np.full((8, 8), 0.3, np.float32), None)
    shown = panels(image, colour_range([image.anomaly_map]), map_threshold=1.0, is_defect=False, is_long=False)
    assert shown[:, 2 * (WIDTH + GAP) :][:, :WIDTH].max() < 5


def marked_columns(map_threshold):
    """Columns of the white mark within the colours, counted from their first."""
    row = colour_bar(COLOURS, map_threshold=map_threshold)[5].astype(int)
    last = np.flatnonzero(np.ptp(row, axis=1) > 60)[-1]  # text is nearly grey
    return np.flatnonzero((row[last - 359 : last + 1] == 255).all(axis=1))


@pytest.mark.parametrize(("threshold", "column"), [(0.5, 90), (1.0, 180), (1.5, 270)])
def test_colour_bar_marks_where_the_threshold_lies(threshold, column) -> None:
    assert marked_columns(threshold).mean() == pytest.approx(column, abs=1)


def test_colour_bar_says_on_which_side_a_threshold_outside_lies() -> None:
    assert not len(marked_columns(-3.0))
    assert not len(marked_columns(9.0))
    below, above = (colour_bar(COLOURS, map_threshold=threshold)[19:] for threshold in (-3.0, 9.0))
    ink = [np.flatnonzero((bar < 100).all(axis=2).any(axis=0)).min() for bar in (below, above)]
    assert ink[1] - ink[0] == 359  # the mark stands at one end or the other


def test_sheet_bears_the_colour_bar_of_its_maps() -> None:
    def sheet(map_threshold):
        return anomaly_sheet(ROWS, lambda _: scored(), score_threshold=1.0, map_threshold=map_threshold, n=2)

    one, other = sheet(0.5), sheet(1.5)
    assert (one[:35] == other[:35]).all()  # the heading
    assert (one[35:60] != other[35:60]).any()
