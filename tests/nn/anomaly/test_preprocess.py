"""Preprocessing of anomaly detectors: against OpenCV's CLAHE and blur, and exported."""

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.clahe import equalised
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess, smoothed

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def seam(height, width, seed=0):
    """An image with slopes, an edge and noise."""
    generator = np.random.default_rng(seed)
    down, across = np.mgrid[:height, :width]
    grey = 60 + 90 * across / width + 40 * np.sin(down / 9) + 30 * (np.abs(down - height / 2) < height / 8)
    noisy = grey[..., None] + generator.normal(0, 6, (height, width, 3)) + [0, 6, -9]
    return noisy.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [256, 224, 250, 100])
@pytest.mark.parametrize("clip", [2.0, 4.0])
def test_clahe_gives_opencvs_levels(size, clip):
    grey = seam(size, size)[..., 0]
    ours = equalised(torch.from_numpy(grey)[None, ..., None].float(), clip=clip)[0, ..., 0].numpy()
    theirs = cv2.createCLAHE(clipLimit=clip, tileGridSize=(8, 8)).apply(grey).astype(float)
    differs = np.abs(ours - theirs)
    # OpenCV weighs in float32 fractions, which tip a tie here and there.
    assert differs.max() <= 1
    assert (differs > 0).mean() < 0.01


def test_smoothing_gives_opencvs_levels():
    image = seam(64, 64)
    ours = smoothed(torch.from_numpy(image)[None].float())[0].numpy()
    assert np.array_equal(ours, cv2.GaussianBlur(image, (3, 3), 0).astype(float))


def test_colour_keeps_its_differences_where_nothing_is_cut_off():
    image = torch.from_numpy(seam(128, 128))[None].float()
    out = equalised(image, clip=2.0)
    inside = ((out > 0) & (out < 255)).all(dim=-1)
    before, after = image[..., 0] - image[..., 2], out[..., 0] - out[..., 2]
    assert inside.float().mean() > 0.5
    assert torch.equal(before[inside], after[inside])


@pytest.mark.parametrize(("grey", "n_channels"), [(True, 1), (False, 3)])
def test_exported_graph_prepares_the_same_levels(tmp_path, grey, n_channels):
    preprocess = MapPreprocess(image_px=64, grey=grey, clahe_clip=2.0, smoothing=True, mean=MEAN, std=STD)
    example = torch.from_numpy(np.stack([seam(64, 64)[..., :n_channels], seam(64, 64, 1)[..., :n_channels]]))
    torch.onnx.export(preprocess, (example,), tmp_path / "p.onnx", dynamo=True, opset_version=18,
                      input_names=["images"], dynamic_shapes=({0: torch.export.Dim("N")},), verbose=False)  # fmt: skip
    session = onnxruntime.InferenceSession(tmp_path / "p.onnx", providers=["CPUExecutionProvider"])
    for seed in range(3):
        image = seam(64, 64, seed)[..., :n_channels]
        (got,) = session.run(None, {"images": image[None]})
        expected = preprocess(torch.from_numpy(image)[None]).numpy()
        assert got.shape == (1, 3, 64, 64)
        assert np.abs(got - expected).max() < 1e-6  # one step of a pixel value is 0.017
        assert preprocess.prepare(torch.from_numpy(image)[None]).shape == (1, 64, 64, n_channels)


def test_a_constant_image_stays_constant():
    preprocess = MapPreprocess(image_px=64, grey=False, clahe_clip=2.0, smoothing=True, mean=MEAN, std=STD)
    prepared = preprocess.prepare(torch.full((1, 64, 64, 3), 77, dtype=torch.uint8)).numpy()
    assert len(np.unique(prepared)) == 1


def test_too_large_for_clahe_is_refused_by_name():
    with pytest.raises(WeldError, match=r"image_px 2048: CLAHE takes 8 to 1024 px"):
        MapPreprocess(image_px=2048, grey=True, clahe_clip=2.0, smoothing=False, mean=MEAN, std=STD)
