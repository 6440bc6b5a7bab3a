"""Streaming coreset: equal to the coreset of all patches within the budget, near it beyond, never above it in memory."""

import re

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.patchcore.coreset import k_center_greedy, nearest_squared_distances
from weld_pipeline.nn.anomaly.patchcore.streaming_coreset import StreamingCoreset

MB = 2**20


def cloud(n, dims=24, seed=0):
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(20, dims)) * 3
    return torch.from_numpy((middles[rng.integers(0, 20, n)] + rng.normal(size=(n, dims))).astype(np.float32))


def streamed(points, *, size, budget_bytes=MB, rows=170):
    coreset = StreamingCoreset(size=size, budget_bytes=budget_bytes, projected=16, seed=5)
    for first in range(0, len(points), rows):
        coreset.add(points[first : first + rows])
    return coreset


def radius(points, centres):
    return float(nearest_squared_distances(points, centres).max()) ** 0.5


def test_within_the_budget_it_is_the_coreset_of_all():
    points = cloud(1000)
    coreset = streamed(points, size=50)
    assert coreset.n_patches == 1000
    assert torch.equal(coreset.finish(), points[k_center_greedy(points, 50, seed=5, projected=16)])


def test_beyond_the_budget_it_covers_nearly_as_well():
    points = cloud(20_000)[:, :4].contiguous()
    at_once, in_steps = (
        streamed(points, size=100, budget_bytes=8 * MB),
        streamed(points, size=100, budget_bytes=MB // 8),
    )
    assert len(at_once._buffer) > 20_000 > 9 * len(in_steps._buffer)
    chosen = in_steps.finish()
    assert len(torch.unique(chosen, dim=0)) == 100
    assert radius(points, chosen) < 1.2 * radius(points, at_once.finish())
    # The worst that could come of it: only what came last is remembered.
    assert radius(points, points[-100:]) > 1.2 * radius(points, at_once.finish())


def test_early_patches_are_remembered_to_the_end():
    early, later = cloud(100) + 1000, cloud(20_000)
    chosen = streamed(torch.cat([early, later]), size=100, budget_bytes=MB // 8).finish()
    assert radius(early, chosen) < 20


def test_buffer_keeps_to_the_budget():
    coreset = streamed(cloud(5000), size=20, budget_bytes=MB // 4)
    assert coreset._buffer.nbytes < MB // 4


def test_budget_too_small_for_the_coreset_is_an_error():
    with pytest.raises(
        WeldError, match=r"coreset of 4000 patches of 24 features: a budget of 1 MB holds \d+ to choose"
    ):
        streamed(cloud(10), size=4000)


def test_budget_that_is_asked_for_is_enough():
    with pytest.raises(WeldError) as caught:
        streamed(cloud(10), size=4000)
    asked_mb = int(re.search(r"set budget_mb to (\d+)", str(caught.value)).group(1))
    assert len(streamed(cloud(9000), size=4000, budget_bytes=asked_mb * MB).finish()) == 4000


def test_no_patch_is_an_error():
    with pytest.raises(WeldError, match="no patch to choose from"):
        streamed(cloud(0), size=3).finish()


def test_coreset_larger_than_the_patches_is_an_error():
    with pytest.raises(WeldError, match="coreset of 11: must be 1 to 10"):
        streamed(cloud(10), size=11).finish()
