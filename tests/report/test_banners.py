"""What is said beside every number."""

import pytest

from weld_pipeline.report.banners import calibration_banner, fit_banner, weights_banner


def test_random_weights_are_said_and_others_are_not():
    assert weights_banner({"name": "r", "is_random": False}) == []
    (sentence,) = weights_banner({"name": "resnet18.random", "is_random": True})
    assert sentence.startswith("RANDOM WEIGHTS: resnet18.random")


def test_threshold_without_a_probability_says_what_it_promises():
    (sentence,) = calibration_banner(
        {"threshold": None, "no_probability": "calib holds 9 good", "promise": "At most 0.1 of good images fail."}
    )
    assert sentence.startswith("NO PROBABILITY: there is no p_defect, because calib holds 9 good. ")
    assert sentence.endswith("At most 0.1 of good images fail.")


def test_threshold_chosen_where_epochs_were_is_said_first():
    found = calibration_banner(
        {"threshold": None, "no_probability": "none", "promise": "At most 0.3 fail.", "split": "valid"}
    )
    assert [banner.split(":")[0] for banner in found] == ["THRESHOLD ON VALID", "NO PROBABILITY"]
    assert calibration_banner({"threshold": 0.5, "split": "calib"}) == []


@pytest.mark.parametrize(("calibration", "n"), [({}, 1), ({"threshold": 0.5}, 0), ({"threshold": 0.0}, 0)])
def test_missing_calibration_is_said(calibration, n):
    banners = calibration_banner(calibration)
    assert [banner.split(":")[0] for banner in banners] == ["NOT CALIBRATED"] * n


def test_every_reason_of_a_collapse_is_said():
    assert fit_banner({"is_collapsed": False, "reasons": []}) == []
    found = fit_banner({"is_collapsed": True, "reasons": ["its map is flat", "it sees no blemish"]})
    assert found == ["COLLAPSED: its map is flat", "COLLAPSED: it sees no blemish"]
