"""From scores and logits to probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax, softmax

from weld_pipeline.core.errors import WeldError
from weld_pipeline.decision.calibration import fit_platt, fit_temperature


def test_temperature_recovers_the_one_that_spoilt_the_logits() -> None:
    rng = np.random.default_rng(0)
    logits = 2.0 * rng.normal(size=(4000, 5))
    label_of = np.array([rng.choice(5, p=row) for row in softmax(logits, axis=1)])  # true at temperature 1
    assert fit_temperature(3.0 * logits, label_of) == pytest.approx(3.0, rel=0.07)


def test_temperature_does_not_make_calib_less_likely() -> None:
    rng = np.random.default_rng(1)
    label_of = rng.integers(0, 4, 300)
    logits = 4 * rng.normal(size=(300, 4)) + 3 * np.eye(4)[label_of]

    def loss(temperature: float) -> float:
        return -log_softmax(logits / temperature, axis=1)[np.arange(300), label_of].mean()

    assert loss(fit_temperature(logits, label_of)) < loss(1.0)


def test_small_set_without_an_error_does_not_send_the_temperature_to_zero() -> None:
    label_of = np.arange(12) % 3
    logits = 5.0 * np.eye(3)[label_of]
    calibrated = softmax(logits / fit_temperature(logits, label_of), axis=1)
    # Platt's prior: (12 + 1) / (12 + 2) for the true class.
    assert calibrated.max(axis=1) == pytest.approx(np.full(12, 13 / 14), abs=1e-4)


def test_platt_recovers_the_sigmoid_that_made_the_labels() -> None:
    rng = np.random.default_rng(2)
    score = rng.normal(3, 2, 20_000)
    fitted = fit_platt(score, rng.random(20_000) < expit(1.5 * score - 4))
    assert fitted.a == pytest.approx(-1.5, rel=0.05)  # p = 1 / (1 + exp(a·s + b))
    assert fitted.b == pytest.approx(4.0, rel=0.05)


def test_platt_of_one_good_and_one_defect_gives_the_smoothed_targets() -> None:
    fitted = fit_platt(np.array([0.0, 1.0]), np.array([False, True]))
    # Two parameters meet two targets exactly: 1/(1 + 2) and (1 + 1)/(1 + 2), Platt 1999.
    assert fitted.apply(np.array([0.0, 1.0])) == pytest.approx([1 / 3, 2 / 3], abs=1e-4)


def test_platt_of_a_score_that_says_nothing_gives_the_share_of_defects() -> None:
    fitted = fit_platt(np.full(30, 7.0), np.arange(30) % 3 == 0)
    # The optimum is the mean target: (10 · 11/12 + 20 · 1/22) / 30.
    assert fitted.apply(np.array(7.0)) == pytest.approx((10 * 11 / 12 + 20 / 22) / 30, abs=1e-5)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_platt_does_not_depend_on_the_unit_of_the_score(seed, scale, shift) -> None:
    rng = np.random.default_rng(seed)
    is_defect = np.arange(40) % 2 == 0
    score = rng.normal(size=40) + is_defect
    plain = fit_platt(score, is_defect).apply(score)
    assert fit_platt(scale * score + shift, is_defect).apply(scale * score + shift) == pytest.approx(plain, abs=1e-3)


def test_calibration_needs_both_kinds() -> None:
    with pytest.raises(WeldError, match="0 good and 5 defective welds and needs both"):
        fit_platt(np.arange(5.0), np.ones(5, dtype=bool))
    with pytest.raises(WeldError, match=r"4 rows of 1 class\(es\)"):
        fit_temperature(np.zeros((4, 3)), np.full(4, 2))


def test_calibration_refuses_what_it_cannot_fit() -> None:
    with pytest.raises(WeldError, match="no scores; the calib split is empty"):
        fit_platt(np.zeros(0), np.zeros(0, dtype=bool))
    with pytest.raises(WeldError, match="1 of 2 scores are not finite"):
        fit_platt(np.array([0.0, np.nan]), np.array([True, False]))
    with pytest.raises(WeldError, match="label index 3 for 3 classes"):
        fit_temperature(np.zeros((2, 3)), np.array([0, 3]))
