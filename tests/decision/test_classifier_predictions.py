"""Calibrated predictions in the shared schema."""

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.samples import ClassList
from weld_pipeline.core.tables import PREDICTIONS
from weld_pipeline.decision.classifier_predictions import defect_scores, fit_decision, predictions_table
from weld_pipeline.decision.policy import Calibrator, ClassPolicy, Decision, Platt, ProbabilityPolicy

CLASSES = ClassList(("Good", "Spatter", "Overlap"), "Good")
RUNS = pd.DataFrame(
    {
        "sample_id": ["a", "b"],
        "session": ["s1", "s2"],
        "config": [None, "c"],
        "split": ["test", "train"],
        "label": ["Good", "Overlap"],
        "is_defect": [False, True],
        "path": ["x", "y"],
    }
)
UNCALIBRATED = Decision(calibrator=None, policy=ClassPolicy(kind="class", good_class="Good"))
LOGITS = np.log(np.array([[4.0, 1.0, 1.0], [1.0, 1.0, 6.0]], np.float32))


def calibrated(temperature):
    """Return a decision whose Platt is the logistic function."""
    calibrator = Calibrator(
        temperature=temperature, platt=Platt(a=-1.0, b=0.0), no_probability=None, split="calib", n_good=9, n_defect=9
    )
    return Decision(calibrator=calibrator, policy=ProbabilityPolicy(kind="p_defect", threshold=0.5))


def test_predictions_carry_logits_probabilities_score_and_p_defect():
    """Temperature 1: softmax is 4/6 and 6/8; odds of a defect are 2 : 4 and 7 : 1; Platt is logistic."""
    table = predictions_table(RUNS, LOGITS, CLASSES, calibrated(1.0))
    assert set(table.columns) >= {"logit_Good", "p_Good", "p_Overlap", "p_defect", "score"}
    assert table["predicted"].tolist() == ["Good", "Overlap"]
    assert table["p_Good"].tolist() == pytest.approx([4 / 6, 1 / 8])
    assert table["score"].tolist() == pytest.approx([np.log(0.5), np.log(7)])
    assert table["p_defect"].tolist() == pytest.approx([2 / 6, 7 / 8])
    PREDICTIONS.validate(table)


def test_temperature_softens_probabilities_and_leaves_score_alone():
    """Temperature 2 takes square roots of the odds: 2 : 1 : 1 for the first run."""
    table = predictions_table(RUNS, LOGITS, CLASSES, calibrated(2.0))
    assert table["p_Good"][0] == pytest.approx(2 / 4)
    assert table["predicted"].tolist() == ["Good", "Overlap"]
    assert table["score"][0] == pytest.approx(np.log(0.5))


def test_without_calibration_there_is_no_p_defect():
    table = predictions_table(RUNS, LOGITS, CLASSES, UNCALIBRATED)
    assert "p_defect" not in table
    assert table["p_Good"].tolist() == pytest.approx([4 / 6, 1 / 8])
    PREDICTIONS.validate(table)


def test_calibration_is_worse_news_for_worse_scores():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, 3)).astype(np.float32)
    labels = [CLASSES.names[index] for index in logits.argmax(axis=1)]
    found = fit_decision(logits, labels, CLASSES, threshold=0.4)
    table = predictions_table(
        pd.concat([RUNS] * 20).assign(sample_id=[str(i) for i in range(40)]), logits, CLASSES, found
    )
    by_score = table.sort_values("score")
    assert by_score["p_defect"].is_monotonic_increasing
    assert found.policy == ProbabilityPolicy(kind="p_defect", threshold=0.4)
    assert found.calibrator.n_good == labels.count("Good")
    assert found.calibrator.n_defect == 40 - labels.count("Good")
    assert found.calibrator.split == "calib"
    np.testing.assert_allclose(defect_scores(logits, CLASSES), table["score"], rtol=1e-6)


def test_calib_split_without_good_welds_is_an_error():
    with pytest.raises(WeldError, match="calib split holds 0 good and 2 defective welds"):
        fit_decision(LOGITS, ["Spatter", "Overlap"], CLASSES, threshold=0.5)


def test_empty_calib_split_leaves_the_verdict_to_the_class():
    assert fit_decision(LOGITS[:0], [], CLASSES, threshold=0.5) == UNCALIBRATED
