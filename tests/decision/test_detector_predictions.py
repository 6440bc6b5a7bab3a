"""Scores of a detector as rows of the common table."""

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import PREDICTIONS, checked
from weld_pipeline.decision.detector_predictions import anomaly_predictions, good_class
from weld_pipeline.decision.policy import Calibrator, Decision, Platt, ScorePolicy
from weld_pipeline.evaluation.rows import good_classes

MANIFEST = pd.DataFrame(
    [
        ("a", "1", "x", "calib", "flawless", False, "ok"),
        ("b", "1", "x", "test", "crack", True, "ok"),
        ("c", "2", None, "test", "pore", True, "ok"),
        ("d", "2", None, "test", "flawless", False, "ok"),
        ("e", "3", None, None, "other", False, "quarantined"),
    ],
    columns=["sample_id", "session", "config", "split", "label", "is_defect", "status"],
)
SCORES = pd.DataFrame({"sample_id": ["d", "c", "b", "a"], "score": [0.1, 0.5, 0.49, 0.2]})


def decided(platt=None):
    """Return a decision that fails from score 0.5 on."""
    calibrator = Calibrator(
        temperature=None,
        platt=platt,
        no_probability=None if platt else "a test left it out",
        split="calib",
        n_good=1,
        n_defect=0,
    )
    policy = ScorePolicy(
        kind="score",
        threshold=0.5,
        chosen_by="conformal",
        unit="image",
        n_good_sessions=None,
        false_reject_rate=None,
        false_reject_rate_95=None,
        calib_f1=None,
        promise="Nothing.",
    )
    return Decision(calibrator=calibrator, policy=policy)


def predictions(platt=None):
    return anomaly_predictions(SCORES, MANIFEST, decided(platt))


def test_every_defect_is_anomalous_and_a_score_at_the_threshold_fails():
    table = predictions()
    assert table["sample_id"].tolist() == ["d", "c", "b", "a"]
    assert table["label"].tolist() == ["flawless", "anomalous", "anomalous", "flawless"]
    assert table["predicted"].tolist() == ["flawless", "anomalous", "flawless", "flawless"]
    assert table["is_defect"].tolist() == [False, True, True, False]
    assert "p_defect" not in table
    assert checked(table, PREDICTIONS) is not None


def test_probability_is_there_where_platt_was_fitted():
    # Platt: 1 / (1 + exp(a·s + b)) is a half at s = 0.5.
    expected = 1 / (1 + np.exp(-4 * SCORES["score"] + 2))
    assert predictions(Platt(a=-4.0, b=2.0))["p_defect"].tolist() == pytest.approx(expected.tolist())


def test_evaluation_finds_the_good_class():
    assert list(good_classes(predictions())) == ["flawless"]


@pytest.mark.parametrize(
    ("labels", "named"),
    [(["good", "fine"], r"\['fine', 'good'\]"), (["anomalous"] * 2, r"\['anomalous'\]")],
)
def test_good_class_must_be_one_and_have_a_name_of_its_own(labels, named):
    manifest = MANIFEST.assign(label=[labels[0], "crack", "pore", labels[1], "other"])
    with pytest.raises(WeldError, match=rf"good classes are {named}; exactly one is needed .* index\.good_class"):
        good_class(manifest)


def test_set_without_a_good_image_still_has_a_word_for_good_ones():
    defective = MANIFEST[MANIFEST["is_defect"]]
    table = anomaly_predictions(SCORES[SCORES["sample_id"].isin(defective["sample_id"])], defective, decided())
    assert set(table["label"]) == {"anomalous"}
    assert table["predicted"].tolist() == ["anomalous", "good"]
    assert good_classes(table) == ["good"]


def test_score_of_an_unknown_image_is_left_out_and_of_one_twice_is_refused():
    with pytest.raises(pd.errors.MergeError):
        anomaly_predictions(pd.concat([SCORES, SCORES]), MANIFEST, decided())
