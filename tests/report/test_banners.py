"""What is said beside every number."""

from weld_pipeline.decision.policy import Calibrator, ClassPolicy, Decision, Platt, ProbabilityPolicy, ScorePolicy
from weld_pipeline.report.banners import decision_banner, fit_banner, weights_banner


def test_random_weights_are_said_and_others_are_not():
    assert weights_banner({"name": "r", "is_random": False}) == []
    (sentence,) = weights_banner({"name": "resnet18.random", "is_random": True})
    assert sentence.startswith("RANDOM WEIGHTS: resnet18.random")


def decided(*, split="calib", no_probability="calib holds 9 good"):
    """Return a detector's decision by its score."""
    platt = None if no_probability else Platt(a=-1.0, b=0.0)
    calibrator = Calibrator(
        temperature=None, platt=platt, no_probability=no_probability, split=split, n_good=9, n_defect=0
    )
    policy = ScorePolicy(
        kind="score",
        threshold=2.5,
        chosen_by="conformal",
        unit="image",
        n_good_sessions=None,
        false_reject_rate=0.1,
        false_reject_rate_95=0.2,
        calib_f1=None,
        promise="At most 0.1 of good images fail.",
    )
    return Decision(calibrator=calibrator, policy=policy)


def test_threshold_without_a_probability_says_what_it_promises():
    (sentence,) = decision_banner(decided())
    assert sentence.startswith("NO PROBABILITY: there is no p_defect, because calib holds 9 good. ")
    assert sentence.endswith("At most 0.1 of good images fail.")


def test_threshold_chosen_where_epochs_were_is_said_first():
    found = decision_banner(decided(split="valid"))
    assert [banner.split(":")[0] for banner in found] == ["THRESHOLD ON VALID", "NO PROBABILITY"]


def test_calibrated_decision_needs_no_banner():
    assert decision_banner(decided(no_probability=None)) == []
    by_probability = ProbabilityPolicy(kind="p_defect", threshold=0.5)
    assert decision_banner(Decision(calibrator=decided(no_probability=None).calibrator, policy=by_probability)) == []


def test_missing_calibration_is_said():
    (sentence,) = decision_banner(Decision(calibrator=None, policy=ClassPolicy(kind="class", good_class="good")))
    assert sentence.startswith("NOT CALIBRATED: ")


def test_every_reason_of_a_collapse_is_said():
    assert fit_banner({"is_collapsed": False, "reasons": []}) == []
    found = fit_banner({"is_collapsed": True, "reasons": ["its map is flat", "it sees no blemish"]})
    assert found == ["COLLAPSED: its map is flat", "COLLAPSED: it sees no blemish"]
