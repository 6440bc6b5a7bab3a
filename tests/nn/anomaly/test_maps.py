"""Maps: upsampling by hand, smoothing as scipy does it, both in the exported graph."""

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.maps import GaussianSmoothing, upsampled


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def test_upsampling_by_hand():
    # Centres of four pixels on two: at -1/4, 1/4, 3/4 and 5/4 of the way, held at the border.
    got = upsampled(torch.tensor([[[0.0, 4.0], [0.0, 4.0]]]), 4)
    assert got.tolist() == [[[0.0, 1.0, 3.0, 4.0]] * 4]


@pytest.mark.parametrize("sigma_px", [0.7, 2.0, 4.0])
def test_smoothing_is_scipys(sigma_px):
    maps = noise(3, 40, 40)
    expected = [gaussian_filter(each.astype(np.float64), sigma_px, mode="mirror") for each in maps.numpy()]
    np.testing.assert_allclose(GaussianSmoothing(sigma_px)(maps).numpy(), expected, atol=2e-6)


def test_no_smoothing_leaves_maps_as_they_are():
    maps = noise(2, 8, 8)
    assert torch.equal(GaussianSmoothing(0.0)(maps), maps)


def test_smoothing_keeps_nothing_in_the_model_file():
    assert GaussianSmoothing(4.0).state_dict() == {}


def test_map_smaller_than_the_kernel_is_an_error():
    with pytest.raises(WeldError, match="maps of 16 px: too small to smooth over ±16 px"):
        GaussianSmoothing(4.0)(noise(1, 16, 16))


def test_negative_smoothing_is_an_error():
    with pytest.raises(WeldError, match=r"smoothing of -1\.0 px"):
        GaussianSmoothing(-1.0)


def test_exported_map_is_torchs_at_any_batch(tmp_path):
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.smoothing = GaussianSmoothing(2.0)

        def forward(self, scores):
            return self.smoothing(upsampled(scores, 32))

    path = tmp_path / "maps.onnx"
    torch.onnx.export(
        Head(),
        (noise(2, 5, 7),),
        path,
        dynamo=True,
        opset_version=18,
        input_names=["scores"],
        dynamic_shapes={"scores": {0: torch.export.Dim("B")}},
    )
    session = onnxruntime.InferenceSession(path)
    for n in (1, 3):
        maps = noise(n, 5, 7, seed=n)
        np.testing.assert_allclose(session.run(None, {"scores": maps.numpy()})[0], Head()(maps).numpy(), atol=1e-5)
