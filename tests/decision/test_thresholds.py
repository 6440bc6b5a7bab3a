"""From which score on an image fails: the rank, the promise by simulation, and what is refused."""

import json

import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.decision.calibration import fit_platt
from weld_pipeline.decision.policy import Decision
from weld_pipeline.decision.thresholds import choose_threshold as choose
from weld_pipeline.decision.thresholds import least_rate, map_range

GOOD_30 = np.random.default_rng(0).permutation(30) + 1.0  # 1 … 30
NONE = np.zeros(30, bool)


def choose_threshold(scores, is_defect, **options):
    """Return the decision by scores of the calib split."""
    return choose(scores, is_defect, **{"split": "calib"} | options)


@pytest.mark.parametrize(
    ("n", "rate", "rank"),
    # ⌈(n + 1)(1 − α)⌉ by hand; 0.29 · 100 and 1 − 0.9 are not exact in binary.
    [
        (30, 0.1, 28),
        (19, 0.05, 19),
        (9, 0.1, 9),
        (99, 0.01, 99),
        (99, 0.29, 71),
        (29, 0.1, 27),
        (30, 0.05, 30),
        (1, 0.5, 1),
    ],
)
def test_conformal_threshold_is_just_above_the_right_rank(n, rate, rank) -> None:
    scores = np.random.default_rng(1).permutation(n) + 1.0
    found = choose_threshold(scores, np.zeros(n, bool), kind="conformal", false_reject_rate=rate)
    assert found.policy.threshold == np.nextafter(np.float32(rank), np.float32(np.inf))
    assert (scores >= found.policy.threshold).sum() == n - rank


def test_conformal_keeps_its_promise_on_new_images_on_average_and_at_95_percent() -> None:
    """Vovk 2005 and 2012: mean rate in (α − 1/(n + 1), α]; 95 % of the rates below the quantile that is stated."""
    rng = np.random.default_rng(2)
    rates, bound = [], None
    for _ in range(3000):
        found = choose_threshold(rng.random(30), NONE, kind="auto", false_reject_rate=0.1)
        rates.append(1 - found.policy.threshold)  # of uniform scores, exactly this share fails
        bound = found.policy.false_reject_rate_95
    assert 0.1 - 1 / 31 < np.mean(rates) <= 0.1
    assert np.mean(rates) == pytest.approx(3 / 31, abs=0.003)
    assert np.mean(np.array(rates) <= bound) == pytest.approx(0.95, abs=0.015)


def test_ties_do_not_break_the_promise() -> None:
    found = choose_threshold(np.ones(30), NONE, kind="conformal", false_reject_rate=0.1)
    assert not (np.ones(30, np.float32) >= found.policy.threshold).any()


def test_rate_below_what_the_good_images_allow_says_how_many_are_needed() -> None:
    message = r"rate of 0.01 needs 99 good calib images; there are 30, which can promise 0.0323 at best"
    with pytest.raises(WeldError, match=message):
        choose_threshold(GOOD_30, NONE, kind="conformal", false_reject_rate=0.01)
    enough = choose_threshold(np.arange(99.0), np.zeros(99, bool), kind="conformal", false_reject_rate=0.01)
    assert enough.policy.threshold > 98
    for rate in (0.0, 1.0, 5.0):
        with pytest.raises(WeldError, match="no share between 0 and 1"):
            choose_threshold(GOOD_30, NONE, kind="conformal", false_reject_rate=rate)


def test_auto_promises_the_least_that_so_few_good_images_allow() -> None:
    found = choose_threshold(GOOD_30[:7], NONE[:7], kind="auto", false_reject_rate=0.01)
    assert found.policy.false_reject_rate == least_rate(7) == 0.125
    assert not (GOOD_30[:7] >= found.policy.threshold).any()
    for n_good in range(1, 200):
        choose_threshold(np.arange(float(n_good)), np.zeros(n_good, bool), kind="auto", false_reject_rate=1e-6)


def test_f1_lies_in_the_middle_of_the_gap_and_says_what_it_is_worth() -> None:
    scores, is_defect = np.array([1.0, 2.0, 4.0, 6.0, 8.0]), np.array([0, 0, 0, 1, 1], bool)
    found = choose_threshold(scores, is_defect, kind="f1", false_reject_rate=0.1)
    assert (found.policy.chosen_by, found.policy.threshold, found.policy.calib_f1) == (
        "f1",
        5.0,
        1.0,
    )  # between 4 and 6
    assert "rough guess" in found.policy.promise
    assert (found.policy.false_reject_rate, found.policy.false_reject_rate_95) == (None, None)


@pytest.mark.parametrize(
    ("n_good", "n_defect", "kind"), [(10, 10, "f1"), (10, 9, "conformal"), (9, 10, "conformal"), (30, 0, "conformal")]
)
def test_auto_takes_f1_from_ten_images_of_each_kind_on(n_good, n_defect, kind) -> None:
    scores = np.arange(float(n_good + n_defect))
    found = choose_threshold(scores, scores >= n_good, kind="auto", false_reject_rate=0.01)
    assert found.policy.chosen_by == kind
    # Of good images alone, however many defective ones there are.
    assert found.policy.false_reject_rate == (None if kind == "f1" else least_rate(n_good))


def test_f1_threshold_where_all_are_called_defective_is_the_lowest_score() -> None:
    found = choose_threshold(np.array([1.0, 0.5]), np.array([False, True]), kind="f1", false_reject_rate=0.1)
    assert found.policy.threshold == 0.5
    assert found.policy.calib_f1 == pytest.approx(2 / 3)


def test_conformal_beside_defects_uses_the_good_ones_alone_and_tells_its_f1() -> None:
    scores, is_defect = np.r_[GOOD_30, 28.5, 10.0], np.r_[NONE, True, True]
    found = choose_threshold(scores, is_defect, kind="conformal", false_reject_rate=0.1)
    assert 28 < found.policy.threshold < 28.5
    assert found.policy.calib_f1 == pytest.approx(2 * 1 / (3 + 2))  # fails: 28.5, 29, 30; defects: 2
    assert (found.calibrator.n_good, found.calibrator.n_defect) == (30, 2)


def test_shared_sessions_are_said_in_the_promise() -> None:
    shared = choose_threshold(
        GOOD_30, NONE, kind="auto", false_reject_rate=0.1, session=[f"run{number % 3}" for number in range(30)]
    )
    assert shared.policy.n_good_sessions == 3
    assert "come from 3 session(s)" in shared.policy.promise
    apart = choose_threshold(GOOD_30, NONE, kind="auto", false_reject_rate=0.1, session=[f"{n}" for n in range(30)])
    assert "session" not in apart.policy.promise
    assert "at most 0.1 of good images" in apart.policy.promise
    assert "nothing is promised of escapes" in apart.policy.promise


def test_decision_is_json_and_has_a_probability_only_of_both_kinds() -> None:
    rng = np.random.default_rng(3)
    is_defect = np.arange(40) % 2 == 0
    scores = rng.normal(size=40) + is_defect
    found = choose_threshold(scores, is_defect, kind="auto", false_reject_rate=0.1)
    record = json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))
    assert Decision.model_validate(record) == found
    assert found.calibrator.platt == fit_platt(scores, is_defect)
    assert found.p_defect(np.array([3.0]))[0] > 0.5
    alone = choose_threshold(GOOD_30, NONE, kind="auto", false_reject_rate=0.1)
    assert alone.calibrator.platt is None
    assert alone.p_defect(GOOD_30) is None
    assert alone.policy.false_reject_rate == 0.1


def test_split_that_the_scores_are_of_is_kept() -> None:
    for split in ("calib", "valid"):
        found = choose_threshold(GOOD_30, NONE, kind="auto", false_reject_rate=0.1, split=split)
        assert found.calibrator.split == split


def test_probability_that_falls_with_the_score_is_none() -> None:
    """Defects that score lower than good images would turn the sigmoid over."""
    scores = np.r_[np.linspace(1, 2, 20), np.linspace(0, 1, 12)]
    found = choose_threshold(scores, np.arange(32) >= 20, kind="conformal", false_reject_rate=0.1)
    assert found.calibrator.platt is None
    assert "score no higher than its good ones" in found.calibrator.no_probability


def test_probability_wants_ten_of_each_kind() -> None:
    scores = np.r_[GOOD_30, 100.0 + np.arange(9)]
    found = choose_threshold(scores, scores >= 100, kind="f1", false_reject_rate=0.1)
    assert (found.calibrator.platt, found.calibrator.no_probability) == (
        None,
        "calib holds 30 good and 9 defective images, 10 of each are needed",
    )


def test_threshold_of_tiles_promises_for_images() -> None:
    """An image fails if any tile does, and tiles of one image are alike: the union bound holds all the same."""
    rng, n_tiles, rates = np.random.default_rng(4), 20, []
    for _ in range(300):
        films = rng.normal(size=(12, 1)) + 0.3 * rng.normal(size=(12, n_tiles))
        found = choose_threshold(
            films.ravel(), np.zeros(240, bool), kind="conformal", false_reject_rate=0.1, tiles_per_image=n_tiles
        )
        others = rng.normal(size=(200, 1)) + 0.3 * rng.normal(size=(200, n_tiles))
        rates.append((others.max(axis=1) >= found.policy.threshold).mean())
    assert found.policy.unit == "tile"
    assert found.policy.false_reject_rate == pytest.approx(0.1)
    assert "On average at most 0.1 of good images of 20 tiles" in found.policy.promise
    assert "240 good calib tiles" in found.policy.promise
    assert found.calibrator.platt is None
    assert "chosen on tiles" in found.calibrator.no_probability
    assert np.mean(rates) <= 0.1


def test_tiles_too_few_for_a_rate_of_images_say_how_many_are_needed() -> None:
    tiles = {"false_reject_rate": 0.1, "tiles_per_image": 20}
    with pytest.raises(WeldError, match=r"of 0\.1 of images of 20 tiles needs 199 good calib tiles; there are 30"):
        choose_threshold(GOOD_30, NONE, kind="conformal", **tiles)
    least = choose_threshold(GOOD_30, NONE, kind="auto", **tiles)
    assert least.policy.false_reject_rate == pytest.approx(20 * least_rate(30))
    few = choose_threshold(GOOD_30[:7], NONE[:7], kind="auto", **tiles)
    assert few.policy.false_reject_rate == 1.0  # nothing is promised, and that is what it says


def test_what_cannot_give_a_threshold_is_refused() -> None:
    with pytest.raises(WeldError, match="none of the 30 calib images is good"):
        choose_threshold(GOOD_30, ~NONE, kind="auto", false_reject_rate=0.1)
    with pytest.raises(WeldError, match="f1 needs defective images and calib holds 30 good ones"):
        choose_threshold(GOOD_30, NONE, kind="f1", false_reject_rate=0.1)
    with pytest.raises(WeldError, match="1 of 30 are not finite"):
        choose_threshold(np.where(GOOD_30 == 7, np.inf, GOOD_30), NONE, kind="auto", false_reject_rate=0.1)
    with pytest.raises(WeldError, match="there are none"):
        choose_threshold(np.zeros(0), np.zeros(0, bool), kind="auto", false_reject_rate=0.1)


def test_map_range_shows_half_of_good_pixels_bare_and_few_good_images_a_contour() -> None:
    rng = np.random.default_rng(4)
    maps = [rng.normal(5, 1, (20, 20)).astype(np.float32) for _ in range(29)]
    found = map_range(iter(maps), share=0.1)
    assert found.low == pytest.approx(np.median(maps), rel=1e-4)
    with_contour = sum(bool((each >= found.threshold).any()) for each in maps)
    assert with_contour == 2  # of 30 images three may: the rank is 27 of 29
    assert found.high == pytest.approx(2 * found.threshold - found.low)


def test_map_range_of_maps_all_alike_is_not_empty() -> None:
    found = map_range([np.full((4, 4), 3.0, np.float32)] * 2)
    assert found.low < found.threshold < found.high
    assert found.threshold == pytest.approx(3.0)


def test_map_range_refuses_no_map_and_broken_ones() -> None:
    with pytest.raises(WeldError, match="no map of a good calib image"):
        map_range([])
    with pytest.raises(WeldError, match="good map 1 is not finite"):
        map_range([np.zeros((2, 2), np.float32), np.full((2, 2), np.nan, np.float32)])
