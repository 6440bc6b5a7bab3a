"""From an answer to a probability and a verdict: values by hand, and what no decision may be made of."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from weld_pipeline.decision.policy import (
    Calibrator,
    ClassPolicy,
    Decision,
    Platt,
    ProbabilityPolicy,
    ScorePolicy,
)

HALF_AT_ONE = Platt(a=-2.0, b=2.0)
FITTED = {"temperature": 2.0, "platt": HALF_AT_ONE, "no_probability": None}
BY_CLASS = Decision(calibrator=None, policy=ClassPolicy(kind="class", good_class="good"))


def calibrator(**changes):
    return Calibrator(**FITTED | {"split": "calib", "n_good": 12, "n_defect": 10} | changes)


def by_probability(threshold=0.5, **changes):
    return Decision(calibrator=calibrator(**changes), policy=ProbabilityPolicy(kind="p_defect", threshold=threshold))


def by_score(threshold=3.0, *, platt=None):
    policy = ScorePolicy(
        kind="score",
        threshold=threshold,
        chosen_by="conformal",
        unit="image",
        n_good_sessions=4,
        false_reject_rate=0.1,
        false_reject_rate_95=0.2,
        calib_f1=None,
        promise="At most 0.1 of good images fail.",
    )
    reason = None if platt else "calib holds 12 good and 0 defective images"
    return Decision(calibrator=calibrator(temperature=None, platt=platt, no_probability=reason), policy=policy)


EVERY_KIND = [BY_CLASS, by_probability(), by_score(), by_score(platt=HALF_AT_ONE)]


def test_platt_is_the_sigmoid_of_the_paper() -> None:
    # 1 / (1 + exp(-2·s + 2)): exponents 2, 0 and -2.
    expected = [1 / (1 + np.e**2), 1 / 2, 1 / (1 + np.e**-2)]
    assert HALF_AT_ONE.apply(np.array([0.0, 1.0, 2.0])).tolist() == pytest.approx(expected)
    assert HALF_AT_ONE.apply(np.array(1.0)) == 0.5


def test_platt_keeps_the_order_of_scores() -> None:
    p_defect = Platt(a=-0.7, b=0.2).apply(np.linspace(-50, 50, 101))
    assert (np.diff(p_defect) >= 0).all()
    assert p_defect[50] == pytest.approx(1 / (1 + np.exp(0.2)))


def test_scores_beyond_what_exp_can_say_are_certain_and_warn_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert HALF_AT_ONE.apply(np.array([-1e6, 1e6])).tolist() == [0.0, 1.0]
        # In float32, as a graph gives it, exp overflows from 88 on.
        assert HALF_AT_ONE.apply(np.array([-60.0], np.float32))[0] == pytest.approx(np.exp(-122), rel=1e-6)


def test_probability_at_the_threshold_fails() -> None:
    decision = by_probability(0.5)
    assert decision.decide(score=1.0, predicted="good") == ("fail", 0.5)
    verdict, p_defect = decision.decide(score=0.0, predicted="crack")
    assert (verdict, p_defect) == ("pass", pytest.approx(1 / (1 + np.e**2)))


def test_score_at_the_threshold_fails_whatever_the_probability() -> None:
    assert by_score(3.0).decide(score=3.0, predicted=None) == ("fail", None)
    assert by_score(3.0).decide(score=np.nextafter(3.0, 0), predicted=None) == ("pass", None)
    verdict, p_defect = by_score(3.0, platt=HALF_AT_ONE).decide(score=2.0, predicted=None)
    assert (verdict, p_defect) == ("pass", pytest.approx(1 / (1 + np.e**-2)))


def test_without_calibration_every_class_but_the_good_one_fails() -> None:
    fails = BY_CLASS.fails(score=np.array([-9.0, 9.0, 9.0]), predicted=["crack", "good", "pore"])
    assert fails.tolist() == [True, False, True]
    assert BY_CLASS.decide(score=9.0, predicted="good") == ("pass", None)


@given(
    st.sampled_from(EVERY_KIND),
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.sampled_from(["good", "crack"])), min_size=1, max_size=9),
)
def test_one_sample_is_decided_like_many(decision, answers) -> None:
    scores = np.array([score for score, _ in answers])
    fails = decision.fails(score=scores, predicted=[name for _, name in answers])
    p_defect = decision.p_defect(scores)
    for row, (score, name) in enumerate(answers):
        verdict, probability = decision.decide(score=score, predicted=name)
        assert (verdict == "fail") == fails[row]
        assert probability == (None if p_defect is None else p_defect[row])


def test_temperature_is_one_where_none_was_fitted() -> None:
    assert [decision.temperature for decision in EVERY_KIND] == [1.0, 2.0, 1.0, 1.0]


@pytest.mark.parametrize("decision", EVERY_KIND)
def test_decision_survives_json(decision) -> None:
    record = json.loads(json.dumps(decision.model_dump(mode="json"), allow_nan=False))
    assert Decision.model_validate(record) == decision


@pytest.mark.parametrize("path", [(), ("calibrator",), ("calibrator", "platt"), ("policy",)])
@pytest.mark.parametrize("decision", [by_probability(), by_score(platt=HALF_AT_ONE)])
def test_key_that_this_version_does_not_know_is_refused_at_every_depth(decision, path) -> None:
    record = decision.model_dump(mode="json")
    place = record
    for name in path:
        place = place[name]
    place["review_band"] = 0.1
    with pytest.raises(ValidationError, match=r"review_band\n +Extra inputs are not permitted"):
        Decision.model_validate(record)


@pytest.mark.parametrize(
    ("place", "name", "value", "message"),
    [
        ("policy", "kind", "vote", r"policy\n +Input tag 'vote'"),
        ("policy", "threshold", 1.0, r"policy\.p_defect\.threshold\n +Input should be less than 1"),
        ("policy", "threshold", float("nan"), r"policy\.p_defect\.threshold"),
        ("calibrator", "temperature", 0.0, r"calibrator\.temperature\n +Input should be greater than 0"),
        ("calibrator", "split", "test", r"calibrator\.split\n +Input should be 'calib' or 'valid'"),
        ("calibrator", "n_good", -1, r"calibrator\.n_good"),
    ],
)
def test_value_that_decides_nothing_is_named(place, name, value, message) -> None:
    record = by_probability().model_dump(mode="json")
    record[place][name] = value
    with pytest.raises(ValidationError, match=message):
        Decision.model_validate(record)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(value) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Platt(a=value, b=0.0)
    with pytest.raises(ValidationError, match="finite"):
        by_score(value)


def test_policy_by_probability_needs_one() -> None:
    policy = ProbabilityPolicy(kind="p_defect", threshold=0.5)
    uncalibrated = calibrator(platt=None, no_probability="calib holds 12 good images")
    for given_calibrator in (None, uncalibrated):
        with pytest.raises(ValidationError, match="policy p_defect needs a calibrator with platt"):
            Decision(calibrator=given_calibrator, policy=policy)


@pytest.mark.parametrize("missing", ["calibrator", "policy"])
def test_decision_without_one_of_its_parts_is_refused(missing) -> None:
    record = by_probability().model_dump(mode="json")
    del record[missing]
    with pytest.raises(ValidationError, match=rf"{missing}\n +Field required"):
        Decision.model_validate(record)


def test_missing_probability_has_a_reason_and_a_reason_a_missing_probability() -> None:
    for changes in ({"platt": None}, {"no_probability": "none"}):
        with pytest.raises(ValidationError, match="either platt or no_probability must be given"):
            calibrator(**changes)


def test_decision_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        by_probability().policy.threshold = 0.9


def test_rule_is_said_in_words() -> None:
    assert BY_CLASS.policy.describe() == "fail where the class is not good; nothing was calibrated"
    assert by_probability(0.125).policy.describe() == "fail from p_defect 0.125"
    assert by_score(2.5).policy.describe() == "fail from score 2.5 (conformal): At most 0.1 of good images fail."
