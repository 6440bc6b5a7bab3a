"""PatchCore: distances and scores by hand, the fit, the file, the exported graph, and what hinders it."""

import copy

import numpy as np
import onnxruntime
import pytest
import torch
from einops import rearrange
from torch.nn import functional

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import read_model, write_model
from weld_pipeline.nn.anomaly import patch_reader as patch_reading
from weld_pipeline.nn.anomaly.maps import GaussianSmoothing, upsampled
from weld_pipeline.nn.anomaly.patch_reader import patch_reader
from weld_pipeline.nn.anomaly.patchcore.model import (
    PatchCore,
    fit_patchcore,
    restore_patchcore,
    save_patchcore,
    share_of_patches,
)
from weld_pipeline.nn.anomaly.patches import joined_maps, pooled_patches, unit_patches
from weld_pipeline.nn.anomaly.trunk import MapTrunk
from weld_pipeline.nn.compiled import CompiledModule

SIDE = 64
HOW = {"budget_bytes": 2**24, "projected_dims": 32, "seed": 0, "map_sigma_px": 2.0}


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return MapTrunk(
        name="mobilenetv2_050",
        crop_px=SIDE,
        layers=("blocks.1", "blocks.2"),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )


@pytest.fixture(scope="module")
def good():
    """Two batches: the same slope with a little noise of its own."""
    return [images(3, seed=0), images(2, seed=1)]


@pytest.fixture(scope="module")
def detector(trunk, good):
    return fit_patchcore(trunk, good, coreset_size=60, n_neighbours=5, **HOW)


def images(n, seed=0):
    noise = np.random.default_rng(seed).normal(size=(n, 3, SIDE, SIDE)) * 0.2
    return torch.from_numpy((noise + np.linspace(-1, 1, SIDE)).astype(np.float32))


def with_spot(n, seed=0):
    spotted = images(n, seed)
    spotted[:, :, 40:52, 8:20] = 3.0
    return spotted


def test_features_are_pooled_maps_joined_at_the_finest_size(trunk):
    fine, coarse = trunk(images(2))
    patches = pooled_patches(trunk, images(2))
    features = rearrange(patches, "b (h w) d -> b d h w", h=trunk.sizes[0][0])
    assert features.shape == (2, sum(trunk.channels), *trunk.sizes[0])
    n_fine = trunk.channels[0]
    middle = fine[:, :, 2:5, 6:9].mean(dim=(2, 3))
    assert torch.allclose(features[:, :n_fine, 3, 7], middle, atol=1e-5)
    corner = fine[:, :, :2, :2].sum(dim=(2, 3)) / 9  # five of nine lie beyond the border and count as 0
    assert torch.allclose(features[:, :n_fine, 0, 0], corner, atol=1e-5)
    pooled = functional.avg_pool2d(coarse, 3, 1, 1)
    assert torch.allclose(features[:, n_fine:, 0, 0], pooled[:, :, 0, 0], atol=1e-5)


def test_joining_keeps_maps_of_one_size_as_they_are():
    maps = [torch.rand(1, 2, 4, 4), torch.rand(1, 3, 4, 4)]
    assert torch.equal(joined_maps(maps), torch.cat(maps, dim=1))


@pytest.mark.parametrize("features", [pooled_patches, unit_patches])
def test_patches_are_torchs_before_the_trunk_is_compiled_and_after(trunk, features, monkeypatch):
    compiled = []
    monkeypatch.setattr(
        patch_reading,
        "CompiledModule",
        lambda *given, **how: compiled.append(1) or CompiledModule(*given, **how),
    )
    read = patch_reader(trunk, features)
    for n in (27, 1, 1, 3):
        torch.testing.assert_close(read(images(n)).cpu(), features(trunk, images(n)), rtol=1e-4, atol=1e-4)
    assert torch.cuda.is_available() or compiled == [1]


def test_scores_and_maps_follow_the_paper(trunk, detector):
    """Each image alone, distances by difference in float64, equation 7 as it is printed."""
    batch = torch.cat([images(1, 9), with_spot(1, 8), with_spot(1, 7) * 0.5])
    score, anomaly_map = detector(batch)
    bank = (detector.bank + detector.centre).double().numpy()
    for number in range(3):
        patches = pooled_patches(trunk, batch[number : number + 1])[0].double().numpy()
        gaps = np.linalg.norm(patches[:, None] - bank[None], axis=2)
        worst = gaps.min(axis=1).argmax()
        nearest = gaps[worst].argmin()
        around = np.linalg.norm(bank - bank[nearest], axis=1).argsort()[:5]
        weight = 1 - np.exp(gaps[worst, nearest]) / np.exp(gaps[worst, around]).sum()
        assert float(score[number]) == pytest.approx(weight * gaps[worst, nearest], rel=1e-4)
        patch_map = torch.from_numpy(gaps.min(axis=1)).float().reshape(1, *trunk.sizes[0])
        expected = GaussianSmoothing(2.0)(upsampled(patch_map, SIDE))[0]
        torch.testing.assert_close(anomaly_map[number], expected, rtol=1e-3, atol=1e-3)


def test_spot_is_found_where_it_is(detector):
    score, anomaly_map = detector(torch.cat([images(2, 5), with_spot(2, 6)]))
    assert score[2:].min() > 2 * score[:2].max()
    for each in anomaly_map[2:]:
        row, column = divmod(int(each.argmax()), SIDE)
        assert 36 <= row <= 56
        assert 4 <= column <= 24


def test_bank_is_made_of_good_patches(trunk, good, detector):
    patches = torch.cat([pooled_patches(trunk, batch).flatten(0, 1) for batch in good])
    gaps = torch.cdist(detector.bank + detector.centre, patches, compute_mode="donot_use_mm_for_euclid_dist")
    assert float(gaps.amin(dim=1).max()) < 1e-3
    assert len(torch.unique(gaps.argmin(dim=1))) == 60
    assert detector.fitted_on == {"n_images": 5, "n_patches": len(patches)}


def test_ratio_is_a_share_of_all_patches_rounded_up(trunk, good):
    n_patches = trunk.sizes[0][0] * trunk.sizes[0][1]
    assert share_of_patches(trunk, 5, 0.1) == 5 * n_patches / 10
    assert share_of_patches(trunk, 1, 1 / (n_patches - 1)) == 2
    detector = fit_patchcore(trunk, good, coreset_size=share_of_patches(trunk, 5, 0.1), **HOW)
    assert len(detector.bank) == detector.fitted_on["n_patches"] / 10


def test_one_seed_gives_one_detector(trunk, good, detector):
    again = fit_patchcore(trunk, good, coreset_size=60, n_neighbours=5, **HOW)
    assert torch.equal(again.bank, detector.bank)
    other = fit_patchcore(trunk, good, coreset_size=60, n_neighbours=5, **(HOW | {"seed": 1}))
    assert not torch.equal(other.bank, detector.bank)


@pytest.mark.parametrize(("n_bank", "n_neighbours"), [(60, 1), (1, 9)])
def test_score_is_not_weighed_where_there_is_nothing_to_compare_with(trunk, good, n_bank, n_neighbours):
    detector = fit_patchcore(trunk, good, coreset_size=n_bank, n_neighbours=n_neighbours, **HOW)
    patches = pooled_patches(trunk, with_spot(2)) - detector.centre
    assert detector(with_spot(2))[0].tolist() == pytest.approx(
        detector.distances(patches).amax(dim=1).tolist(), rel=1e-4
    )


def test_bank_smaller_than_the_neighbourhood_is_all_of_it(trunk, good):
    detector = fit_patchcore(trunk, good, coreset_size=4, n_neighbours=9, **HOW)
    assert detector.neighbours.sort(dim=1).values.tolist() == [[0, 1, 2, 3]] * 4
    assert torch.isfinite(detector(with_spot(2))[0]).all()


def test_restored_detector_scores_alike(detector, tmp_path):
    write_model(tmp_path / "model.safetensors", save_patchcore(detector, {"weights": {"name": "random"}}))
    model = read_model(tmp_path / "model.safetensors")
    assert model.family == "patchcore"
    assert model.provenance == {"weights": {"name": "random"}}
    restored = restore_patchcore(model)
    assert restored.fitted_on == detector.fitted_on
    for got, expected in zip(restored(with_spot(2)), detector(with_spot(2)), strict=True):
        assert torch.equal(got, expected)


def test_exported_graph_agrees_with_torch_at_any_batch(detector, tmp_path):
    path = tmp_path / "patchcore.onnx"
    torch.onnx.export(
        detector,
        (images(2),),
        path,
        dynamo=True,
        opset_version=18,
        input_names=["images"],
        output_names=["score", "anomaly_map"],
        dynamic_shapes={"images": {0: torch.export.Dim("B")}},
    )
    session = onnxruntime.InferenceSession(path)
    for batch in (with_spot(1), torch.cat([images(2, 3), with_spot(1, 4)])):
        score, anomaly_map = session.run(None, {"images": batch.numpy()})
        expected_score, expected_map = detector(batch)
        np.testing.assert_allclose(score, expected_score.numpy(), rtol=1e-3)
        np.testing.assert_allclose(anomaly_map, expected_map.numpy(), rtol=1e-3, atol=1e-3)


def test_no_good_image_is_an_error(trunk):
    with pytest.raises(WeldError, match="patchcore: no good image to fit on"):
        fit_patchcore(trunk, [], coreset_size=5, **HOW)


def test_coreset_larger_than_the_patches_is_an_error(trunk, good):
    with pytest.raises(WeldError, match="coreset of 5000: must be 1 to 1280"):
        fit_patchcore(trunk, good, coreset_size=5000, **HOW)


def test_image_that_is_no_number_is_named(trunk, good):
    spoilt = good[1].clone()
    spoilt[1, 0, 5, 5] = float("nan")
    with pytest.raises(
        WeldError, match="good image 4, counted from 0, or its features hold values that are not finite"
    ):
        fit_patchcore(trunk, [good[0], spoilt], coreset_size=5, **HOW)


def test_image_whose_features_overflow_is_named(trunk, good):
    with pytest.raises(WeldError, match="good image 3, counted from 0, or its features"):
        fit_patchcore(trunk, [good[0], good[1] * 1e38], coreset_size=5, **HOW)


def test_weight_that_is_no_number_is_named(trunk, good):
    broken = copy.deepcopy(trunk)
    name, weight = next(iter(broken.named_parameters()))
    weight.data[0] = float("nan")
    with pytest.raises(WeldError, match=f"trunk mobilenetv2_050: {name} holds values that are not finite"):
        fit_patchcore(broken, good, coreset_size=5, **HOW)


def test_constant_images_give_zero_where_nothing_differs(trunk):
    flat = torch.full((3, 3, SIDE, SIDE), 0.3)
    detector = fit_patchcore(trunk, [flat], coreset_size=400, **HOW)
    score, anomaly_map = detector(flat)
    assert score.tolist() == pytest.approx([0] * 3, abs=1e-2)
    assert float(anomaly_map.abs().max()) < 1e-2
    assert float(detector(with_spot(1))[0]) > 1


def test_neighbours_of_a_large_bank_begin_with_the_patch_itself(trunk):
    bank = torch.from_numpy(np.random.default_rng(0).normal(size=(1500, sum(trunk.channels))).astype(np.float32))
    detector = PatchCore(trunk, n_bank=1500, n_neighbours=4, map_sigma_px=0.0)
    detector.fill_bank(bank)
    for row in (0, 3, 1023, 1024, 1499):
        nearest = (bank - bank[row]).norm(dim=1).argsort()[:4]
        assert detector.neighbours[row].tolist() == nearest.tolist()
        assert int(nearest[0]) == row


def test_equal_patches_share_a_score_of_zero(trunk):
    detector = PatchCore(trunk, n_bank=6, n_neighbours=3, map_sigma_px=0.0)
    detector.fill_bank(torch.ones(6, sum(trunk.channels)))
    assert detector.neighbours[:, 0].tolist() == list(range(6))
    patches = torch.zeros(1, 4, sum(trunk.channels))
    assert detector._score(patches, detector.distances(patches)).tolist() == [0.0]
