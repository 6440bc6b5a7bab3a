import numpy as np
import pytest

from weld_pipeline.synthetic.drawn.surfaces.relief import clouds, shaded


def test_clouds_have_deviation_one_and_repeat_under_a_seed():
    one, other = (clouds((40, 60), size=(12.0, 6.0), rng=np.random.default_rng(3)) for _ in range(2))
    assert one.shape == (40, 60)
    assert one.std() == pytest.approx(1, abs=1e-4)
    np.testing.assert_array_equal(one, other)


def test_larger_blobs_change_less_from_pixel_to_pixel():
    fine, coarse = (clouds((64, 64), size=(s, s), rng=np.random.default_rng(0)) for s in (1.0, 16.0))
    assert np.abs(np.diff(coarse)).mean() < 0.3 * np.abs(np.diff(fine)).mean()


def test_flat_surface_under_a_lamp_faces_it_by_lamberts_cosine():
    # A lamp 30 above the middle of the first pixel; 40 to its right the distance is 50 and the cosine 30 / 50.
    facing, mirrored, distance = shaded(np.zeros((1, 41), np.float32), light=(0.5, 0.5, 30.0), scale=1.0, polish=2.0)
    assert facing[0, 0] == pytest.approx(1)
    assert distance[0, 40] == pytest.approx(50)
    assert facing[0, 40] == pytest.approx(0.6)
    # Half vector of (0.8, 0, 0.6) and (0, 0, 1): cosine with the normal is sqrt((1 + 0.6) / 2), squared 0.8.
    assert mirrored[0, 40] == pytest.approx(0.8, abs=1e-5)


def test_slope_towards_the_lamp_is_brighter_than_the_slope_away_from_it():
    ridge = np.tile(20 - np.abs(np.arange(41, dtype=np.float32) - 20), (9, 1))
    facing, _, _ = shaded(ridge, light=(-400.0, 4.5, 400.0), scale=1.0, polish=10.0)
    # 45° towards a lamp at 45°: almost squarely; away from it: hardly at all.
    assert facing[4, 10] > 0.95
    assert facing[4, 30] < 0.1
