"""The reference detector: against sums done by hand, and exported."""

import numpy as np
import onnxruntime
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.patches import unit_patches
from weld_pipeline.nn.anomaly.reference.model import (
    ReferenceOptions,
    fit_reference,
    restore_reference,
    save_reference,
)
from weld_pipeline.nn.anomaly.trunk import MapTrunk


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return MapTrunk(name="resnet18", crop_px=64, layers=("layer1", "layer2"), mean=(0.5,) * 3, std=(0.25,) * 3)


def good(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    base = torch.linspace(-1, 1, 64).expand(3, 64, 64)
    return base + 0.1 * torch.randn(n, 3, 64, 64, generator=generator)


def options(position="aligned", scale="variance", shrinkage=0.5):
    return ReferenceOptions(position, scale, shrinkage, map_sigma_px=2.0)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_aligned_mean_and_variance_are_those_of_numpy_however_they_come(trunk, batch_size):
    images = good(8)
    detector, n = fit_reference(trunk, images.split(batch_size), options())
    patches = unit_patches(trunk, images).double().numpy()
    mean, variance = patches.mean(axis=0), patches.var(axis=0)
    assert n == 8
    assert np.allclose(detector.mean, mean, atol=1e-5)
    assert np.allclose(detector.scale, 1 / np.sqrt(0.5 * variance + 0.5 * variance.mean()), rtol=1e-4)


def test_free_covariance_gives_the_mahalanobis_distance(trunk):
    images = good(6)
    detector, _ = fit_reference(trunk, [images], options("free", "covariance", 0.1))
    patches = unit_patches(trunk, images).double().numpy().reshape(-1, 192)
    covariance = np.cov(patches.T, bias=True)
    mixed = 0.9 * covariance + 0.1 * np.trace(covariance) / 192 * np.eye(192)
    off = patches[:5] - patches.mean(axis=0)
    expected = np.sqrt(np.einsum("nd,de,ne->n", off, np.linalg.inv(mixed), off) / 192)
    found = detector.distances(torch.from_numpy(patches[:5]).float()[None])[0]
    assert np.allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize(("position", "scale"), [("aligned", "none"), ("aligned", "variance"), ("free", "covariance")])
def test_a_strange_image_scores_higher_and_the_map_says_where(trunk, position, scale):
    detector, _ = fit_reference(trunk, [good(12)], options(position, scale))
    images = good(4, seed=1)
    images[3, :, 40:56, 8:24] = torch.tensor([2.0, -2.0, 2.0])[:, None, None]
    score, maps = detector(images)
    assert score[3] > score[:3].max()
    row, column = divmod(int(maps[3].argmax()), 64)
    assert 36 <= row < 60
    assert 4 <= column < 28


def test_exported_detector_says_the_same(trunk, tmp_path):
    detector, _ = fit_reference(trunk, [good(4)], options())
    again = restore_reference(save_reference(detector, {}))
    torch.onnx.export(again, (good(2),), tmp_path / "r.onnx", dynamo=True, opset_version=18, input_names=["x"],
                      dynamic_shapes=({0: torch.export.Dim("B")},), verbose=False)  # fmt: skip
    session = onnxruntime.InferenceSession(tmp_path / "r.onnx", providers=["CPUExecutionProvider"])
    for found, expected in zip(session.run(None, {"x": good(3, 5).numpy()}), detector(good(3, 5)), strict=True):
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_bad_input_is_refused_by_name(trunk):
    with pytest.raises(WeldError, match="no good image to fit on"):
        fit_reference(trunk, [], options())
    with pytest.raises(WeldError, match="a feature of a good image is not finite"):
        fit_reference(trunk, [torch.full((2, 3, 64, 64), torch.nan)], options())
    with pytest.raises(WeldError, match="a variance needs two good images"):
        fit_reference(trunk, [good(1)], options())
    with pytest.raises(WeldError, match=r"set fit\.position to free"):
        fit_reference(trunk, [good(2)], options("aligned", "covariance"))
    with pytest.raises(WeldError, match=r"all the same.*set fit\.scale to none"):
        fit_reference(trunk, [good(1).expand(3, -1, -1, -1)], options())
