"""Preprocessing of images: Pillow's resize within one pixel value, views, normalisation."""

import numpy as np
import pytest
import torch
from PIL import Image

from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image.preprocess import ImagePreprocess, cached_image, luma

HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.25, 0.5)}


def random_image(height, width, seed=0):
    """Noise over a slope: edges and smooth parts."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 155, width)[None, :, None] * np.ones((height, 1, 3))
    return (slope + rng.integers(0, 100, (height, width, 3))).astype(np.uint8)


@pytest.mark.parametrize("size", [(90, 160), (20, 30), (64, 64), (41, 200), (227, 227)])
@pytest.mark.parametrize("grey", [False, True])
def test_resize_agrees_with_pillow_within_one_level(size, grey):
    preprocess = ImagePreprocess(resized_px=64, crop_px=56, grey=grey, **HALF)
    image = random_image(*size)
    pillow = Image.fromarray(image).convert("L" if grey else "RGB").resize((64, 64), Image.Resampling.BILINEAR)
    ours = cached_image(image, preprocess)
    assert ours.shape == (64, 64, 1 if grey else 3)
    difference = np.abs(ours.astype(int) - np.asarray(pillow).reshape(ours.shape).astype(int))
    assert difference.max() <= 1
    assert difference.mean() < 0.005  # a filter without antialias is off by tens on noise


@pytest.mark.parametrize("size", [(700, 1280), (9, 2000), (17, 5)])
def test_resize_is_exact_so_that_every_runtime_gets_the_same_levels(size):
    """The same filter in whole numbers of 64 bits; brightest images come nearest to what float32 holds exactly."""
    image = np.maximum(random_image(*size), 200)

    def shares(n_source, n_resized):
        centre, source = (2 * np.arange(n_resized) + 1) * n_source, (2 * np.arange(n_source) + 1) * n_resized
        height = np.maximum(2 * max(n_source, n_resized) - np.abs(centre[:, None] - source), 0)
        weight = height.astype(np.float32) / height.sum(axis=1, keepdims=True).astype(np.float32)
        return np.round(weight * np.float32(65536)).astype(np.int64)

    across = np.minimum((np.einsum("hwc,rw->hrc", image.astype(np.int64), shares(size[1], 64)) + 32768) >> 16, 255)
    down = np.minimum((np.einsum("hrc,qh->qrc", across, shares(size[0], 64)) + 32768) >> 16, 255)
    preprocess = ImagePreprocess(resized_px=64, crop_px=56, grey=False, **HALF)
    assert np.array_equal(cached_image(image, preprocess), down)


def test_grey_is_pillows_exactly():
    image = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    image[0, :6] = [[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 1, 1]]
    expected = np.asarray(Image.fromarray(image).convert("L"))
    assert np.array_equal(luma(torch.from_numpy(image)[None])[0, :, :, 0].numpy(), expected)


@pytest.mark.parametrize("kind", ["centre", "ten"])
def test_views_are_slices_and_mirror_images(kind):
    preprocess = ImagePreprocess(resized_px=9, crop_px=6, grey=False, **HALF)
    images = torch.from_numpy(np.stack([random_image(9, 9, seed) for seed in (0, 1)]))
    views = crop_views(kind, resized_px=9, crop_px=6)
    crops = preprocess.crop(images, torch.from_numpy(views)).numpy()
    assert crops.shape == (2, len(views), 6, 6, 3)
    for n in (0, 1):
        for v, (top, left, is_mirrored) in enumerate(views):
            expected = images[n, top : top + 6, left : left + 6].numpy()
            assert np.array_equal(crops[n, v], expected[:, ::-1] if is_mirrored else expected)


def test_normalised_levels_by_hand():
    preprocess = ImagePreprocess(resized_px=1, crop_px=1, grey=False, **HALF)
    pixel = torch.tensor([[[[255, 51, 0]]]], dtype=torch.uint8)
    # (1 - .5) / .5, (.2 - .5) / .25, (0 - .5) / .5
    assert preprocess.normalise(pixel).flatten().tolist() == pytest.approx([1, -1.2, -1])


def test_grey_fills_three_channels():
    preprocess = ImagePreprocess(resized_px=1, crop_px=1, grey=True, **HALF)
    assert preprocess.normalise(torch.tensor([[[[51]]]], dtype=torch.uint8)).flatten().tolist() == pytest.approx(
        [-0.6, -1.2, -0.6]
    )
