"""Random changes that are not random: what each does, and that a generator decides all of it."""

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.image.augment import Augmentation, Mixing, augmented, mixed, px_of_epoch

NOTHING = {
    "min_area": 1.0,
    "max_stretch": 1.0,
    "flip_horizontal": 0.0,
    "flip_vertical": 0.0,
    "rotation_deg": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "erasing": 0.0,
}
IMAGES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 12, 12, 3), dtype=np.uint8))
TARGET = torch.tensor([0, 1, 2, 3])


def vary(*, seed=0, out_px=8, images=IMAGES, **changes):
    how = Augmentation(**NOTHING | changes)
    return augmented(images, how, crop_px=8, out_px=out_px, generator=np.random.default_rng(seed))


def test_image_nothing_happens_to_is_its_centre_crop():
    torch.testing.assert_close(vary(), IMAGES[:, 2:10, 2:10].float(), atol=1e-2, rtol=0)


def test_flips_mirror_the_crop():
    centre = IMAGES[:, 2:10, 2:10].float()
    torch.testing.assert_close(vary(flip_horizontal=1.0), centre.flip(2), atol=1e-2, rtol=0)
    torch.testing.assert_close(vary(flip_vertical=1.0), centre.flip(1), atol=1e-2, rtol=0)


def test_smaller_crops_stay_inside_the_image():
    """A slope from 0 to 1 over the image: every crop is a slope between values the image has."""
    slope = torch.arange(0, 240, 20, dtype=torch.uint8).repeat(4, 12, 1)[..., None]
    crops = vary(images=slope, min_area=0.2, seed=3)
    width = (crops[:, 0, -1, 0] - crops[:, 0, 0, 0]) / 20
    # From a fifth of the centre crop's area to all of it; n pixels span n - 1 steps, a magnified crop 7/8 of its width.
    assert width.min() >= 8 * 0.2**0.5 * 7 / 8 - 0.5
    assert width.max() <= 7.01
    assert len(set(crops[:, 0, 0, 0].tolist())) == 4


def test_brightness_and_contrast_stay_in_range_and_change_the_mean():
    changed = vary(brightness=0.5, contrast=0.5)
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert (changed.mean(dim=(1, 2, 3)) - vary().mean(dim=(1, 2, 3))).abs().min() > 1


def test_rotation_by_a_quarter_turn_turns():
    how = Augmentation(**NOTHING | {"rotation_deg": 90.0})

    class Quarter(np.random.Generator):
        """Always draws the upper end of an angle."""

        def uniform(self, low, high, size):
            return np.full(size, high if high == 90 else (low + high) / 2)

    generator = Quarter(np.random.PCG64(0))
    turned = augmented(IMAGES, how, crop_px=8, out_px=8, generator=generator)
    torch.testing.assert_close(turned, IMAGES[:, 2:10, 2:10].float().rot90(1, (1, 2)), atol=0.1, rtol=0)


def test_erased_rectangle_holds_the_mean():
    erased, whole = vary(erasing=1.0), vary()
    for index in range(4):
        changed = (erased[index] != whole[index]).any(dim=-1)
        assert 0.02 < changed.float().mean() < 0.4
        assert len(erased[index][changed].unique()) == 1


def test_smaller_output_is_antialiased():
    stripes = torch.zeros(1, 12, 12, 1, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    assert vary(images=stripes, out_px=4).std() < 5  # every other column picked would swing by 100


def test_one_seed_makes_one_batch():
    changes = {"min_area": 0.5, "max_stretch": 1.3, "flip_horizontal": 0.5, "rotation_deg": 10.0, "erasing": 0.5}
    assert torch.equal(vary(seed=7, **changes), vary(seed=7, **changes))
    assert not torch.equal(vary(seed=7, **changes), vary(seed=8, **changes))


def mix(seed=0, **how):
    images = IMAGES.permute(0, 3, 1, 2).float()
    return images, mixed(images, TARGET, Mixing(**how), np.random.default_rng(seed))


def test_mixup_is_the_weighted_sum_of_two_images():
    images, batch = mix(mixup_alpha=0.4, cutmix_alpha=0.0, probability=1.0)
    assert 0 < batch.share < 1
    expected = batch.share * images[batch.first] + (1 - batch.share) * images[batch.second]
    torch.testing.assert_close(batch.images, expected)
    assert sorted(batch.second.tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(4))
def test_cutmix_share_is_the_area_that_stayed(seed):
    images, batch = mix(seed, mixup_alpha=0.0, cutmix_alpha=1.0, probability=1.0)
    pasted = (batch.images == images[batch.second]).all(dim=1) & (images != images[batch.second]).any(dim=1)
    moved = batch.first != batch.second
    assert pasted[moved].float().mean() == pytest.approx(1 - batch.share, abs=1e-6)
    stayed = ~pasted[:, None].expand_as(images)
    assert torch.equal(batch.images[stayed], images[stayed])


@pytest.mark.parametrize("how", [(0.0, 0.0, 1.0), (0.4, 1.0, 0.0)])
def test_batch_that_is_not_mixed_is_left_alone(how):
    images, batch = mix(mixup_alpha=how[0], cutmix_alpha=how[1], probability=how[2])
    assert batch.share == 1
    assert batch.images is images


def test_progressive_sizes_must_end_at_the_size_in_use():
    with pytest.raises(WeldError, match=r"progressive ends at 320 px .* must end at image.crop_px = 448"):
        px_of_epoch([(256, 0.5), (320, 0.5)], epoch=0, max_epochs=10, crop_px=448)
    assert px_of_epoch([], epoch=3, max_epochs=10, crop_px=224) == 224
