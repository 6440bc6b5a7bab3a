"""Against torchvision's own transforms, which are the definition."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.video import MViT_V2_S_Weights, R3D_18_Weights, S3D_Weights

from weld_pipeline.nn.video.preprocess import ClipPreprocess, _half_to_even

WEIGHTS = {"r3d_18": R3D_18_Weights.DEFAULT, "s3d": S3D_Weights.DEFAULT, "mvit_v2_s": MViT_V2_S_Weights.DEFAULT}


def build(transform):
    return ClipPreprocess(
        resize_size=transform.resize_size, crop_size=transform.crop_size, mean=transform.mean, std=transform.std
    )


def assert_same_levels(ours, theirs, std):
    """At most 1 apart in pixel values, and that on fewer than one pixel in a thousand: their sums round otherwise."""
    differences = ((ours - theirs) * std * 255).abs()
    assert differences.max() < 1.01
    assert (differences > 0.5).float().mean() < 1e-3


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("size", [(600, 960), (480, 640), (112, 112), (90, 50), (257, 301)])
def test_preprocessing_equals_torchvisions(name, size):
    transform = WEIGHTS[name].transforms()
    ours = build(transform)
    frames = torch.randint(0, 256, (1, 2, *size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert_same_levels(ours(frames), transform(frames.movedim(-1, 2)), ours.std)


@settings(max_examples=12)
@given(height=st.integers(16, 400), width=st.integers(16, 500), seed=st.integers(0, 99))
def test_preprocessing_equals_torchvisions_at_any_size(height, width, seed):
    transform = WEIGHTS["r3d_18"].transforms()
    ours = build(transform)
    frames = torch.randint(0, 256, (1, 1, height, width, 3), dtype=torch.uint8, generator=torch.manual_seed(seed))
    assert_same_levels(ours(frames), transform(frames.movedim(-1, 2)), ours.std)


def test_cropping_once_and_normalising_later_is_the_same():
    ours = build(WEIGHTS["r3d_18"].transforms())
    frames = torch.randint(0, 256, (2, 3, 60, 80, 3), dtype=torch.uint8)
    assert torch.equal(ours.normalise(ours.crop(frames)), ours(frames))


def test_grey_frame_takes_the_value_of_the_published_statistics():
    """Pixel value 51 is 0.2; (0.2 - 0.43216) / 0.22803 = -1.0181 in red, by hand."""
    ours = build(WEIGHTS["r3d_18"].transforms())
    clip = ours(torch.full((1, 1, 40, 40, 3), 51, dtype=torch.uint8))
    assert clip.shape == (1, 3, 1, 112, 112)
    assert torch.allclose(clip[0, 0], torch.tensor(-1.0181), atol=1e-4)


def test_crop_offset_rounds_as_python_does():
    assert [_half_to_even(n) for n in range(200)] == [round(n / 2) for n in range(200)]
