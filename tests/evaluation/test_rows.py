"""From predictions and manifest to the rows an evaluation reads."""

import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.rows import classes_of, evaluation_rows, good_classes, listed, train_rows, worst_mistakes

MANIFEST = pd.DataFrame(
    {
        "sample_id": ["a", "b", "c", "d", "e"],
        "label": ["Good", "Pore", "Good", "Pore", "Good"],
        "session": ["1", "1", "2", "2", "3"],
        "config": ["x", "x", "y", "y", None],
        "mean_luma": [50.0, 60.0, 70.0, 80.0, None],
        "split": ["train", "train", "test", "test", None],
        "status": ["ok", "ok", "ok", "ok", "quarantined"],
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "sample_id": ["d", "c", "b"],
        "session": ["2", "2", "1"],
        "config": ["y", "y", "x"],
        "split": ["test", "test", "valid"],
        "label": ["Pore", "Good", "Pore"],
        "is_defect": [True, False, True],
        "predicted": ["Good", "Good", "Pore"],
        "score": [-1.0, -2.0, 3.0],
        "logit_Good": [1.0, 2.0, -3.0],
        "p_Pore": [0.3, 0.1, 0.9],
        "p_Good": [0.7, 0.9, 0.1],
        "p_defect": [0.4, 0.2, 0.95],
    }
)


def test_rows_of_the_split_know_their_brightness() -> None:
    rows = evaluation_rows(PREDICTIONS, MANIFEST, split="test")
    assert rows["sample_id"].tolist() == ["d", "c"]
    assert rows["mean_luma"].tolist() == [80.0, 70.0]


def test_split_without_rows_is_named_with_those_there_are() -> None:
    with pytest.raises(WeldError, match=r"no row of split 'calib', only \['test', 'valid'\]"):
        evaluation_rows(PREDICTIONS, MANIFEST, split="calib")


def test_anomaly_scores_join_by_id_and_must_be_complete() -> None:
    scores = pd.DataFrame({"sample_id": ["c", "d"], "anomaly": [1.0, 2.0]})
    assert evaluation_rows(PREDICTIONS, MANIFEST, split="test", anomaly_scores=scores)["anomaly"].tolist() == [2.0, 1.0]
    with pytest.raises(WeldError, match=r"lack 1 of 2 rows, e\.g\. d"):
        evaluation_rows(PREDICTIONS, MANIFEST, split="test", anomaly_scores=scores.head(1))


def test_train_rows_are_the_usable_ones() -> None:
    assert train_rows(MANIFEST, PREDICTIONS)["label"].tolist() == ["Good", "Pore"]


def test_to_a_detector_every_defect_is_anomalous() -> None:
    predictions = PREDICTIONS.assign(label=["anomalous", "Good", "anomalous"], predicted=["Good", "Good", "anomalous"])
    assert train_rows(MANIFEST, predictions)["label"].tolist() == ["Good", "anomalous"]


def test_classes_stand_in_the_model_s_order() -> None:
    assert classes_of(PREDICTIONS) == ["Pore", "Good"]
    assert classes_of(PREDICTIONS[["sample_id", "p_defect"]]) is None


def test_good_classes_are_those_that_are_no_defect() -> None:
    assert good_classes(PREDICTIONS) == ["Good"]
    with pytest.raises(WeldError, match="label 'Pore' is a defect in some rows and none in others"):
        good_classes(PREDICTIONS.assign(is_defect=[True, False, False]))


def test_worst_mistakes_begin_with_the_surest_escape() -> None:
    rows = pd.DataFrame(
        [
            ("right", "Good", "Good", False, 0.9, 0.1, 0.0),
            ("mixed", "Pore", "Crack", True, 0.0, 0.0, 1.0),
            ("unsure escape", "Pore", "Good", True, 0.5, 0.4, 0.1),
            ("reject", "Good", "Pore", False, 0.0, 1.0, 0.0),
            ("sure escape", "Crack", "Good", True, 0.8, 0.1, 0.1),
        ],
        columns=["sample_id", "label", "predicted", "is_defect", "p_Good", "p_Pore", "p_Crack"],
    ).assign(session="1")
    found = worst_mistakes(rows, good=["Good"], n=3)
    assert found["sample_id"].tolist() == ["sure escape", "unsure escape", "reject"]
    assert found["kind"].tolist() == ["escaped", "escaped", "rejected"]
    assert found["sureness"].tolist() == [0.8, 0.5, 1.0]


def test_faultless_predictions_have_no_mistakes() -> None:
    rows = PREDICTIONS.assign(predicted=PREDICTIONS["label"])
    assert worst_mistakes(rows, good=["Good"], n=3).empty


def test_list_says_which_predictions_are_right() -> None:
    table = listed(PREDICTIONS)
    assert table["sample_id"].tolist() == ["b", "c", "d"]
    assert table["is_correct"].tolist() == [True, True, False]
    assert "p_defect" in table
