import numpy as np
import pytest

from tests.media.handmade import SEEN, encoded, page, png16, scaled, tiff
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import Image, decode_image

UNDECLARED = [
    lambda values: png16(values, colour_type=0),
    lambda values: png16(np.dstack([values] * 3), colour_type=2),
    lambda values: png16(np.dstack([*[values] * 3, np.full_like(values, 65535)]), colour_type=6),
    lambda values: png16(np.dstack([values, np.full_like(values, 65535)]), colour_type=4),
    lambda values: tiff(page(values, tag_258=16)),
    lambda values: encoded(Image.fromarray(values), "PPM"),
]


@pytest.mark.parametrize("write", UNDECLARED)
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_low_samples_that_nobody_declares_warn_and_are_right_once_stated(bits, write):
    content = write(scaled((1 << bits) - 1))
    (warning,) = decode_image(content, "weld").warnings
    assert warning.startswith("low_values: pixel values reach ")
    assert f"so {bits} bits hold them" in warning
    assert "state them with probe.sample_bits" in warning
    stated = decode_image(content, "weld", sample_bits=bits)
    assert stated.warnings == ()
    assert np.abs(stated.pixels.astype(int) - SEEN[..., None]).max() <= 1


@pytest.mark.parametrize("write", UNDECLARED)
def test_samples_of_all_16_bits_are_rounded_in_grey_and_colours(write):
    decoded = decode_image(write(scaled(65535)), "weld")
    assert decoded.warnings == ()
    np.testing.assert_array_equal(decoded.pixels, np.round(scaled(65535) / 257)[..., None].repeat(3, axis=2))


def test_value_above_the_stated_bits_is_refused():
    content = png16(scaled(4095), colour_type=0)
    with pytest.raises(
        ImageError, match="pixel values reach 3481, more than the 1023 of 10 bits; mend sample_bits"
    ) as raised:
        decode_image(content, "weld", sample_bits=10)
    assert raised.value.code == "sample_bits"


def test_stated_bits_change_neither_8_bits_nor_what_a_file_declares():
    for content in (
        encoded(Image.fromarray(SEEN.astype(np.uint8)), "PNG"),
        png16(scaled(4095), colour_type=0, sbit=b"\x0c"),
        tiff(page(4095 - scaled(4095), tag_258=16, tag_262=0, tag_281=4095)),
    ):
        seen = decode_image(content, "weld", sample_bits=10).pixels
        assert np.abs(seen[..., 0].astype(int) - SEEN).max() <= 1


def test_dark_samples_that_were_shifted_up_do_not_warn():
    assert decode_image(png16(scaled(255) << 4, colour_type=0), "weld").warnings == ()
    assert decode_image(png16(scaled(0), colour_type=0), "weld").warnings == ()
