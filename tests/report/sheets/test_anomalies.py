"""Sheets of what an anomaly detector saw."""

import numpy as np
import pandas as pd

from weld_pipeline.decision.thresholds import DisplayRange
from weld_pipeline.report.sheets.anomalies import SheetImage, anomaly_sheet, panels, pick_images

RED = (194, 69, 58)
SHOWN = DisplayRange(map_low=0.0, map_threshold=1.0, map_high=2.0)
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


def scored(height=40, width=60, *, mask=None):
    anomaly_map = np.zeros((8, 8), np.float32)
    anomaly_map[2:5, 2:5] = 2.0
    return SheetImage(np.full((height, width, 3), 120, np.uint8), anomaly_map, mask)


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

    sheet = anomaly_sheet(ROWS, look, score_threshold=1.0, shown=SHOWN, n=4)
    assert len(read) == len(set(read)) == 4
    assert is_red(sheet)
    right = ROWS[ROWS["sample_id"].str.startswith(("passed", "caught"))]
    assert not is_red(anomaly_sheet(right, look, score_threshold=1.0, shown=SHOWN, n=4))


def test_panels_are_input_mask_map_and_overlay() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:25, 15:38] = True
    shown = panels(scored(mask=mask), SHOWN, is_defect=True, is_long=False)
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
    for is_defect, level in ((True, 190), (False, 0)):
        shown = panels(scored(), SHOWN, is_defect=is_defect, is_long=False)
        assert (shown[:, 234:464] == level).all()


def test_long_images_stand_below_each_other() -> None:
    shown = panels(scored(100, 1800), SHOWN, is_defect=False, is_long=True)
    assert shown.shape == (4 * 50 + 3 * 4, 900, 3)
    sheet = anomaly_sheet(ROWS, lambda _: scored(100, 1800), score_threshold=1.0, shown=SHOWN, n=4)
    assert sheet.shape[1] == 920  # one column, with its margins
    wide = anomaly_sheet(ROWS, lambda _: scored(), score_threshold=1.0, shown=SHOWN, n=4)
    assert wide.shape[1] == 2 * (4 * 230 + 12 + 10) + 10
