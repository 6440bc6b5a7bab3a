"""Stated against observed."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from weld_pipeline.evaluation.bootstrap import session_draws
from weld_pipeline.evaluation.reliability import brier_terms, nll_terms, reliability


def curve(stated, came_true, n_bins=10):
    session_of = np.arange(len(stated)) % 6
    draws = session_draws(6, n_resamples=200, seed=0)
    return reliability(np.array(stated), np.array(came_true), session_of, draws=draws, n_bins=n_bins, level=0.95)


def test_calibration_error_matches_a_hand_calculation() -> None:
    found = curve([0.1, 0.1, 0.9, 0.9, 0.9, 0.9], [False, True, True, True, True, False], n_bins=2)
    # Lower bin: stated .1, observed .5; upper: .9 and .75. (2 · .4 + 4 · .15) / 6
    assert found.ece == pytest.approx(1.4 / 6)
    assert found.n == [2, 4]
    assert found.stated == pytest.approx([0.1, 0.9])
    assert found.observed == pytest.approx([0.5, 0.75])


def test_probabilities_that_come_true_have_almost_no_error() -> None:
    rng = np.random.default_rng(0)
    stated = rng.random(20_000)
    assert curve(stated, rng.random(20_000) < stated).ece < 0.01


def test_certainty_falls_into_the_last_bin_and_empty_bins_are_unknown() -> None:
    found = curve([1.0] * 6, [True] * 6, n_bins=4)
    assert found.n == [0, 0, 0, 6]
    assert found.observed == [None, None, None, 1.0]
    assert found.low[0] is None


def test_brier_and_likelihood_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(4), 50)
    label_of = rng.integers(0, 4, 50)
    assert nll_terms(probabilities, label_of).mean() == pytest.approx(
        log_loss(label_of, probabilities, labels=range(4))
    )
    one_against_rest = [brier_score_loss(label_of == k, probabilities[:, k]) for k in range(4)]
    assert brier_terms(probabilities, label_of).mean() == pytest.approx(sum(one_against_rest))


def test_impossible_event_that_happened_keeps_the_likelihood_finite() -> None:
    assert nll_terms(np.array([[1.0, 0.0]]), np.array([1]))[0] == pytest.approx(-np.log(1e-12))
