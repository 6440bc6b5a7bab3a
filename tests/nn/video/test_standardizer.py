"""Mean and standard deviation in one pass."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.video.standardizer import FeatureStatistics, Standardizer, fit_statistics


@given(cuts=st.lists(st.integers(0, 50), max_size=6), offset=st.sampled_from([0.0, 1.0, 1e4]), seed=st.integers(0, 20))
def test_any_chunking_gives_the_statistics_of_the_whole(cuts, offset, seed):
    rows = np.random.default_rng(seed).normal(offset, [1.0, 0.1, 5.0], size=(50, 3)).astype(np.float32)
    got = fit_statistics(np.split(rows, sorted(cuts)))
    whole = rows.astype(np.float64)
    assert got.n_rows == 50
    np.testing.assert_allclose(got.mean, whole.mean(axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(got.std, whole.std(axis=0), rtol=1e-5)


def test_constant_feature_is_shifted_not_blown_up():
    got = fit_statistics([np.array([[7.0, 1.0], [7.0, 3.0]], np.float32)])
    assert got.std.tolist() == [1.0, 1.0]
    out = Standardizer(got)(torch.tensor([[7.0, 1.0], [8.0, 3.0]]))
    assert out.tolist() == [[0.0, -1.0], [1.0, 1.0]]


def test_feature_that_moves_by_rounding_alone_counts_as_constant():
    rows = np.array([[1000.0], [np.nextafter(np.float32(1000), np.float32(2000))]], np.float32)
    assert fit_statistics([rows]).std.tolist() == [1.0]


def test_no_training_clip_is_an_error():
    with pytest.raises(WeldError, match="no training clip to standardise on"):
        fit_statistics([np.empty((0, 4), np.float32)])


def test_feature_that_is_no_number_is_an_error():
    with pytest.raises(WeldError, match="not finite"):
        fit_statistics([np.array([[1.0, np.nan]], np.float32)])


def test_statistics_are_kept_as_buffers_not_trained():
    module = Standardizer(FeatureStatistics(np.zeros(2, np.float32), np.ones(2, np.float32), 3))
    assert list(module.parameters()) == []
    assert set(module.state_dict()) == {"mean", "std"}
