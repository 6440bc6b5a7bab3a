"""Preprocessing of images: Pillow's resize as tensor operations, views, normalisation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from weld_pipeline.media.resize import resize_to_square
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image.preprocess import ImagePreprocess, luma, resized

HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.25, 0.5)}


def random_image(height, width, seed=0):
    """Noise over a slope: edges and smooth parts."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 155, width)[None, :, None] * np.ones((height, 1, 3))
    return (slope + rng.integers(0, 100, (height, width, 3))).astype(np.uint8)


# Wide, tall, smaller than the square, one pixel, long, and the size of an industrial camera's image.
SIZES = [(90, 160), (160, 90), (20, 30), (64, 64), (1, 1), (9, 2000), (1500, 17), (227, 227), (1944, 2592)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grey", [False, True])
def test_graph_resizes_to_pillows_pixels_exactly(size, grey):
    preprocess = ImagePreprocess(resized_px=64, crop_px=56, grey=grey, **HALF)
    image = np.maximum(random_image(*size), 90)  # bright images come nearest to what float32 holds exactly
    ours = preprocess.resize(torch.from_numpy(image)[None])[0].numpy()
    assert np.array_equal(ours, resize_to_square(image, 64, grey=grey))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 80), st.integers(0, 9))
@settings(max_examples=60)
def test_graph_resizes_any_size_to_pillows_pixels(height, width, px, seed):
    image = random_image(height, width, seed)
    ours = resized(torch.from_numpy(image)[None].float(), px)[0].numpy()
    assert np.array_equal(ours, resize_to_square(image, px, grey=False))


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
