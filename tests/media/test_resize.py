"""Resize: Pillow's filter, in an order that no version of Pillow changes."""

import numpy as np
import pytest
from PIL import Image

from weld_pipeline.media import resize
from weld_pipeline.media.resize import resize_digest, resize_to_square


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def weights(n_source, n_resized):
    """Triangle filter by its definition, in exact fractions of whole numbers."""
    centre, source = (2 * np.arange(n_resized) + 1) * n_source, (2 * np.arange(n_source) + 1) * n_resized
    height = np.maximum(2 * max(n_source, n_resized) - np.abs(centre[:, None] - source), 0)
    return height / height.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", [(70, 128), (300, 40), (20, 33)])
def test_resized_image_is_the_triangle_filters(size):
    image = noise(*size)
    exact = np.einsum("qh,rw,hwc->qrc", weights(size[0], 24), weights(size[1], 24), image.astype(float))
    # Rounded after the rows and after the columns.
    assert np.abs(resize_to_square(image, 24, grey=False) - exact).max() < 1.01


def test_rows_come_first_for_tall_images_too():
    image = noise(300, 40)
    across = Image.fromarray(image).resize((24, 300), Image.Resampling.BILINEAR)
    wanted = np.asarray(across.resize((24, 24), Image.Resampling.BILINEAR))
    assert np.array_equal(resize_to_square(image, 24, grey=False), wanted)


def test_grey_is_one_channel_made_before_resizing():
    image = noise(50, 60)
    grey = np.asarray(Image.fromarray(image).convert("L"))
    three = np.repeat(grey[..., None], 3, axis=2)
    assert np.array_equal(resize_to_square(image, 24, grey=True), resize_to_square(three, 24, grey=False)[..., :1])


def test_image_of_the_size_stays_as_it_is():
    image = noise(24, 24)
    assert np.array_equal(resize_to_square(image, 24, grey=False), image)


def test_digest_tells_another_resize(monkeypatch):
    known = resize_digest()
    assert known == resize_digest()

    def in_one_call(image, px, *, grey):
        held = Image.fromarray(image).convert("L" if grey else "RGB")
        return np.array(held.resize((px, px), Image.Resampling.BICUBIC)).reshape(px, px, -1)

    monkeypatch.setattr(resize, "resize_to_square", in_one_call)
    assert resize_digest() != known
