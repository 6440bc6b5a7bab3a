"""Labels the predictions speak against."""

import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.image.label_errors import COLUMNS, suspected_label_errors

CLASSES = ["bad", "good", "unseen"]
IDS = [f"p{index}" for index in range(20)]
# Ten of each class, confident and right; two labels are turned round.
TRUE = np.repeat([0, 1], 10)
PROBABILITIES = np.where(np.eye(3)[TRUE] > 0, 0.9, 0.05)
LABELS = [CLASSES[index] for index in TRUE]


def test_turned_labels_are_found_the_least_credible_first():
    labels, probabilities = list(LABELS), PROBABILITIES.copy()
    labels[3], labels[14] = "good", "bad"
    probabilities[14] = [0.02, 0.93, 0.05]
    table = suspected_label_errors(IDS, labels, probabilities, CLASSES)
    assert tuple(table.columns) == COLUMNS
    assert table[["sample_id", "label", "suggested", "rank"]].to_numpy().tolist() == [
        ["p14", "bad", "good", 1],
        ["p3", "good", "bad", 2],
    ]
    assert table["p_label"].tolist() == pytest.approx([0.02, 0.05])
    assert table["p_suggested"].tolist() == pytest.approx([0.93, 0.9])


def test_labels_the_predictions_agree_with_are_left_alone():
    assert suspected_label_errors(IDS, LABELS, PROBABILITIES, CLASSES).empty


def test_one_class_cannot_be_confused():
    assert suspected_label_errors(IDS[:10], LABELS[:10], PROBABILITIES[:10], CLASSES).empty


def test_label_that_is_no_class_is_named():
    with pytest.raises(WeldError, match="label 'worse' is none of the classes bad, good, unseen"):
        suspected_label_errors(["p0"], ["worse"], PROBABILITIES[:1], CLASSES)
