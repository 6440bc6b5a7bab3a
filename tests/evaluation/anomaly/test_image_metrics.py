"""Image metrics of anomaly scores: by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.anomaly.image_metrics import average_precision, f1_max, fpr_at_tpr, image_metrics
from weld_pipeline.evaluation.estimates import Protocol, Sessions

PROTOCOL = Protocol(n_resamples=300)
# Highest first: defect, good, defect, defect + good (a tie), good.
SCORES = np.array([5.0, 4.0, 3.0, 2.0, 2.0, 1.0])
IS_DEFECT = np.array([True, False, True, True, False, False])
ONE = np.ones((1, 6))


def test_metrics_match_a_hand_calculation() -> None:
    assert average_precision(SCORES, IS_DEFECT, ONE)[0] == pytest.approx((1 / 1 + 2 / 3 + 3 / 5) / 3)
    best, threshold = f1_max(SCORES, IS_DEFECT, ONE)
    assert best[0] == pytest.approx(2 * 3 / (5 + 3))  # all three defects among five called so
    assert threshold[0] == 2.0
    assert fpr_at_tpr(SCORES, IS_DEFECT, ONE, tpr=0.95)[0] == pytest.approx(
        2 / 3
    )  # all defects: two good ones with them
    assert fpr_at_tpr(SCORES, IS_DEFECT, ONE, tpr=0.6)[0] == pytest.approx(1 / 3)


def test_of_equally_good_thresholds_the_lowest_is_taken() -> None:
    scores, is_defect = np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, False, True])
    # From 4 on: 2·1/(1 + 2); from 1 on: 2·2/(4 + 2); the same.
    best, threshold = f1_max(scores, is_defect, np.ones((1, 4)))
    assert (best[0], threshold[0]) == (pytest.approx(2 / 3), 1.0)


def test_nineteen_of_twenty_are_95_percent() -> None:
    scores = np.r_[np.arange(20.0) + 10, 10.5]
    is_defect = np.r_[np.ones(20, bool), False]
    assert fpr_at_tpr(scores, is_defect, np.ones((1, 21)), tpr=0.95)[0] == 0.0


rows_of = st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 4)), min_size=2, max_size=40)


@settings(max_examples=60)
@given(rows_of)
def test_metrics_agree_with_scikit_learn_on_ties_and_weights(rows) -> None:
    scores, is_defect, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = average_precision(scores, is_defect, weight[None])[0], f1_max(scores, is_defect, weight[None])[0][0]
    rate = fpr_at_tpr(scores, is_defect, weight[None], tpr=0.95)[0]
    if not weight[is_defect].sum():
        assert np.isnan([*found, rate]).all()
        return
    assert found[0] == pytest.approx(reference.average_precision_score(is_defect, scores, sample_weight=weight))
    f1s = [reference.f1_score(is_defect, scores >= value, sample_weight=weight, zero_division=0) for value in scores]
    assert found[1] == pytest.approx(max(f1s))
    if not weight[~is_defect].sum():
        assert np.isnan(rate)
        return
    fpr, tpr, _ = reference.roc_curve(is_defect, scores, sample_weight=weight, drop_intermediate=False)
    assert rate == pytest.approx(fpr[tpr >= 0.95 - 1e-12].min())


def test_stack_of_weights_gives_what_each_row_gives() -> None:
    weights = np.random.default_rng(0).integers(0, 3, (5, 6))
    for measure in (average_precision, lambda *of: f1_max(*of)[0], lambda *of: fpr_at_tpr(*of, tpr=0.95)):
        each = [measure(SCORES, IS_DEFECT, row[None])[0] for row in weights]
        assert np.array_equal(measure(SCORES, IS_DEFECT, weights), each, equal_nan=True)


def test_intervals_hold_the_values_and_kinds_stand_apart() -> None:
    rng = np.random.default_rng(1)
    kinds = np.repeat(["good", "crack", "pore"], [40, 20, 20])
    scores = rng.normal(size=80) + np.repeat([0.0, 3.0, 0.5], [40, 20, 20])
    sessions = Sessions.of([f"s{number % 16}" for number in range(80)], PROTOCOL)
    found = image_metrics(scores, kinds != "good", kinds.tolist(), sessions=sessions)
    for estimate in found.estimates.values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low < estimate.high
    pick = kinds != "pore"
    expected = reference.roc_auc_score(kinds[pick] == "crack", scores[pick])
    assert found.auroc_per_kind["crack"].value == pytest.approx(expected)
    assert found.auroc_per_kind["crack"].n == 20
    assert found.auroc_per_kind["pore"].value < expected
    assert found.notes == []


def test_interval_over_few_sessions_is_wider_than_over_images() -> None:
    rng = np.random.default_rng(2)
    session = np.repeat(np.arange(10), 10)
    scores = np.repeat(rng.normal(size=10), 10) + 0.1 * rng.normal(size=100)  # images of a session are alike
    is_defect = session % 2 == 0
    scores = scores + 0.5 * is_defect
    kinds = np.where(is_defect, "crack", "good").tolist()

    def width(names):
        estimate = image_metrics(
            scores, is_defect, kinds, sessions=Sessions.of([str(name) for name in names], PROTOCOL)
        ).estimates["image_ap"]
        return estimate.high - estimate.low

    assert width(session) > 1.5 * width(range(100))


def test_one_kind_alone_leaves_everything_undefined_and_says_so() -> None:
    sessions = Sessions.of(["a", "b", "c"], PROTOCOL)
    for is_defect, missing in ((np.zeros(3, bool), "No defective"), (np.ones(3, bool), "No good")):
        found = image_metrics(np.arange(3.0), is_defect, ["x"] * 3, sessions=sessions)
        assert {estimate.value for estimate in found.estimates.values()} == {None}
        assert found.f1_max_threshold is None
        assert any(note.startswith(missing) for note in found.notes)


def test_small_n_is_said() -> None:
    found = image_metrics(SCORES, IS_DEFECT, ["crack"] * 6, sessions=Sessions.of(list("aabbcc"), PROTOCOL))
    assert all(estimate.is_small for estimate in found.estimates.values())
    assert found.notes[0].startswith("n is too small: 3 good images of 2 session(s)")
    assert any("n is too small for crack" in note for note in found.notes)


def test_scores_that_are_not_finite_or_not_there_are_refused() -> None:
    sessions = Sessions.of(["a"] * 6, PROTOCOL)
    with pytest.raises(WeldError, match="1 of 6 are not finite, the first in row 2"):
        image_metrics(np.where(np.arange(6) == 2, np.nan, SCORES), IS_DEFECT, ["x"] * 6, sessions=sessions)
    with pytest.raises(WeldError, match="there are none"):
        image_metrics(np.zeros(0), np.zeros(0, bool), [], sessions=Sessions.of(["a"], PROTOCOL))
