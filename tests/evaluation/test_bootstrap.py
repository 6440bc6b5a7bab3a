"""Intervals over sessions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weld_pipeline.evaluation.bootstrap import percentile_interval, resampled_sums, session_draws
from weld_pipeline.evaluation.estimates import Protocol, Sessions


def test_every_draw_has_as_many_sessions_as_there_are() -> None:
    draws = session_draws(7, n_resamples=50, seed=1)
    assert draws.shape == (50, 7)
    assert (draws.sum(axis=1) == 7).all()


def test_draws_depend_on_the_seed_alone() -> None:
    assert (session_draws(7, n_resamples=50, seed=1) == session_draws(7, n_resamples=50, seed=1)).all()
    assert (session_draws(7, n_resamples=50, seed=1) != session_draws(7, n_resamples=50, seed=2)).any()


def test_a_session_drawn_twice_counts_twice() -> None:
    per_session = np.array([[[1, 2], [3, 4]], [[10, 20], [30, 40]]])
    assert resampled_sums(np.array([[2, 0], [1, 1]]), per_session).tolist() == [[[2, 4], [6, 8]], [[11, 22], [33, 44]]]


def test_interval_holds_the_middle_of_the_values() -> None:
    assert percentile_interval(np.arange(1001.0), level=0.9) == pytest.approx((50.0, 950.0))


def test_undefined_draws_are_left_out_and_nothing_has_no_interval() -> None:
    assert percentile_interval(np.array([np.nan, 2.0, 2.0]), level=0.95) == (2.0, 2.0)
    assert percentile_interval(np.array([np.nan, np.nan]), level=0.95) is None


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(20, 60), st.floats(0.2, 0.8))
def test_interval_of_independent_rows_contains_the_estimate(seed, n, share) -> None:
    hits = np.random.default_rng(seed).random(n) < share
    sessions = Sessions.of([str(row) for row in range(n)], Protocol(n_resamples=500))
    estimate = sessions.mean(hits.astype(float))
    assert estimate.value == pytest.approx(hits.mean())
    assert estimate.low <= estimate.value <= estimate.high


def test_interval_over_sessions_is_wider_than_over_rows_where_sessions_agree_within() -> None:
    hits = np.repeat(np.random.default_rng(0).random(30) < 0.7, 20).astype(float)  # whole sessions right or wrong
    by_session = Sessions.of(np.repeat(np.arange(30), 20).astype(str).tolist(), Protocol()).mean(hits)
    by_row = Sessions.of(np.arange(600).astype(str).tolist(), Protocol()).mean(hits)
    # Twenty copies of each outcome: a row-wise interval is narrower by about the square root of 20.
    assert (by_session.high - by_session.low) / (by_row.high - by_row.low) == pytest.approx(20**0.5, rel=0.15)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, n_covered = np.random.default_rng(5), 0
    for _ in range(200):
        ease = np.repeat(rng.beta(4, 2, 40), 10)  # each session has its own accuracy; the mean of Beta(4, 2) is 2/3
        hits = (rng.random(400) < ease).astype(float)
        estimate = Sessions.of(np.repeat(np.arange(40), 10).astype(str).tolist(), Protocol(n_resamples=300)).mean(hits)
        n_covered += estimate.low <= 2 / 3 <= estimate.high
    # 95 % of 200 is 190 with a standard deviation of 3; percentile intervals of 40 clusters fall a little short.
    assert 180 <= n_covered <= 198


@pytest.mark.parametrize(("n_sessions", "n_rows"), [(4, 40), (5, 9)])
def test_interval_on_too_little_is_marked(n_sessions, n_rows) -> None:
    names = [str(row % n_sessions) for row in range(n_rows)]
    estimate = Sessions.of(names, Protocol()).mean(np.arange(n_rows) % 2.0)
    assert estimate.is_small
    assert (estimate.n, estimate.n_sessions) == (n_rows, n_sessions)


def test_one_session_says_nothing_of_others_and_has_no_interval() -> None:
    estimate = Sessions.of(["only"] * 40, Protocol()).mean(np.arange(40) % 2.0)
    assert (estimate.value, estimate.low, estimate.high, estimate.is_small) == (0.5, None, None, True)


def test_auroc_rests_on_the_rarer_kind() -> None:
    is_defect = np.arange(60) % 6 != 0  # 10 good, 50 defective
    sessions = Sessions.of([str(row // 6) for row in range(60)], Protocol(n_resamples=300))
    estimate = sessions.auroc(is_defect + 0.1 * np.arange(60), is_defect, np.ones(60, dtype=bool))
    assert estimate.n == 10
    assert estimate.low < estimate.value < estimate.high
