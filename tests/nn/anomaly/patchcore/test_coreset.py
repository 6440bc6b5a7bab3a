"""K-center greedy: the picks of the plain algorithm, and what it refuses."""

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.patchcore.coreset import covering_radius, k_center_greedy


def cloud(n, dims, seed=0, offset=0.0):
    """Clumps of different density, perhaps far from the origin."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(20, dims)) * 3
    return torch.from_numpy(middles[rng.integers(0, 20, n)] + rng.normal(size=(n, dims)) * rng.random((n, 1)) + offset)


def plain_greedy(points, n, start):
    """One pick after another, distances by difference, in float64."""
    chosen = [start]
    least = np.full(len(points), np.inf)
    while len(chosen) < n:
        least = np.minimum(least, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        least[chosen] = -1
        chosen.append(int(least.argmax()))
    return chosen


@pytest.mark.parametrize(("n_points", "dims", "n"), [(3000, 8, 400), (3000, 40, 1500), (200, 5, 200), (1, 3, 1)])
def test_picks_are_those_of_the_plain_greedy(n_points, dims, n):
    points = cloud(n_points, dims, offset=100.0)
    chosen = k_center_greedy(points, n, seed=3, projected=None).tolist()
    assert chosen == plain_greedy(points.numpy(), n, chosen[0])


def test_start_follows_the_seed():
    points = cloud(500, 4)
    starts = {int(k_center_greedy(points, 1, seed=seed)[0]) for seed in range(5)}
    assert len(starts) > 1
    assert torch.equal(k_center_greedy(points, 20, seed=7), k_center_greedy(points, 20, seed=7))


def test_projection_costs_little_radius():
    axes = torch.from_numpy(np.random.default_rng(1).normal(size=(6, 300)))  # features fill few of their dimensions
    points = (cloud(4000, 6) @ axes).float()
    greedy = covering_radius(points, k_center_greedy(points, 200, seed=0, projected=None))
    chosen = k_center_greedy(points, 200, seed=0, projected=64)
    assert len(set(chosen.tolist())) == 200
    assert covering_radius(points, chosen) <= 1.1 * greedy
    rng = np.random.default_rng(0)
    by_chance = torch.from_numpy(rng.permutation(4000)[:200])
    assert covering_radius(points, by_chance) > 1.3 * greedy  # so the line above could fail


def test_radius_by_hand():
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0], [10.0, 1.0]])
    assert covering_radius(points, torch.tensor([0, 2])) == pytest.approx(5.0)


def test_radius_far_from_the_origin_keeps_its_digits():
    points = cloud(300, 16, offset=1000.0)
    chosen = torch.arange(10)
    gaps = (points[:, None] - points[None, :10]).norm(dim=2).amin(dim=1)
    assert covering_radius(points.float(), chosen) == pytest.approx(float(gaps.max()), rel=1e-4)


def test_duplicates_are_left_until_nothing_else_is():
    different = cloud(50, 6)
    points = torch.cat([different, different, different])
    assert covering_radius(points, k_center_greedy(points, 50, seed=1)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("projected", [None, 2])
def test_constant_points_give_different_rows(projected):
    chosen = k_center_greedy(torch.full((3000, 4), 7.3), 2000, seed=0, projected=projected)
    assert len(set(chosen.tolist())) == 2000


def test_all_points_under_a_projection():
    assert sorted(k_center_greedy(cloud(90, 30), 90, seed=0, projected=4).tolist()) == list(range(90))


@pytest.mark.parametrize("n", [0, 11])
def test_coreset_larger_than_the_patches_is_an_error(n):
    with pytest.raises(WeldError, match=f"coreset of {n}: must be 1 to 10"):
        k_center_greedy(cloud(10, 3), n, seed=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_patch_that_is_no_number_is_an_error(bad):
    points = cloud(10, 3)
    points[[4, 6], 1] = bad
    with pytest.raises(WeldError, match="2 of 10 patches hold values that are not finite"):
        k_center_greedy(points, 2, seed=0)
