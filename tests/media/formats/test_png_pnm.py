import numpy as np
import pytest
from PIL import Image

from tests.media.handmade import HEIGHT, SEEN, WIDTH, encoded, png16, scaled
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import decode_image


def difference(content, **options):
    decoded = decode_image(content, "weld", **options)
    assert decoded.warnings == ()
    return np.abs(decoded.pixels.astype(int) - SEEN[..., None]).max()


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_samples_that_fit_the_declared_bits_and_are_no_multiples_were_not_scaled_up(bits):
    values = scaled((1 << bits) - 1)
    assert difference(png16(values, colour_type=0, sbit=bytes([bits]))) <= 1
    assert difference(png16(np.dstack([values] * 3), colour_type=2, sbit=bytes([bits] * 3))) <= 1


@pytest.mark.parametrize("scale", [lambda v: v << 4, lambda v: v << 4 | v >> 8])
def test_samples_scaled_up_as_the_specification_has_it_keep_their_white(scale):
    values = scale(scaled(4095))
    assert difference(png16(values, colour_type=0, sbit=b"\x0c")) <= 1
    # A dark image, whose samples all fit 12 bits, has only multiples of 16 by either way of scaling.
    dark = scale(scaled(4095) // 17)
    seen = decode_image(png16(dark, colour_type=0, sbit=b"\x0c"), "weld").pixels
    assert np.abs(seen[..., 0] - dark / 257).max() <= 1


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT"])
def test_png_whose_pixels_do_not_match_their_check_sum_is_damaged(kind):
    image = Image.fromarray(SEEN.astype(np.uint8)).convert("P")
    content = bytearray(encoded(image, "PNG", transparency=0, dpi=(72, 72)))
    decode_image(bytes(content), "weld")
    content[content.index(kind) + 4 + int.from_bytes(content[content.index(kind) - 4 :][:4], "big")] ^= 1
    with pytest.raises(ImageError, match=f"weld: its part {kind.decode()} at byte .*; copy it again") as caught:
        decode_image(bytes(content), "weld")
    assert caught.value.code == "damaged"


def test_texts_behind_the_pixels_and_bytes_behind_the_end_have_no_say():
    content = png16(scaled(65535), colour_type=0)
    end = content.index(b"IEND") - 4
    text = b"\0\0\0\2tEXt" + b"a\0" + b"none"
    assert difference(content[:end] + text + content[end:] + b"\0\0\0\1IDATx" + bytes(4)) <= 1


def test_no_flipped_bit_of_a_png_passes_for_its_pixels():
    content = encoded(Image.fromarray(SEEN.astype(np.uint8)), "PNG")
    for at in range(content.index(b"IDAT") + 4, content.index(b"IEND") - 4):
        with pytest.raises(ImageError):
            decode_image(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :], "weld")


def test_chunk_that_differs_by_colour_declares_nothing():
    values = np.dstack([scaled(65535)] * 3)
    assert difference(png16(values, colour_type=2, sbit=b"\x05\x06\x05")) <= 1


@pytest.mark.parametrize("white", [1, 100, 255, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P5", "P6"])
def test_largest_value_of_a_pnm_is_white(kind, white):
    values = scaled(white)
    values = np.dstack([values] * 3) if kind == "P6" else values
    header = f"{kind} # camera 3\n# of line 2\n{WIDTH} {HEIGHT}\n{white}\n".encode()
    content = header + values.astype(">u2" if white > 255 else "u1").tobytes()
    pixels = decode_image(content, "weld").pixels
    assert np.abs(pixels - np.round(values.reshape(HEIGHT, WIDTH, -1) * 255.0 / white)).max() <= 1


@pytest.mark.parametrize("white", [255, 4095])
def test_pnm_of_several_images_or_cut_is_refused(white):
    image = f"P5 {WIDTH} {HEIGHT} {white}\n".encode() + scaled(white).astype(">u2" if white > 255 else "u1").tobytes()
    for content, code in ((image + image, "several_images"), (image[:-1], "truncated")):
        with pytest.raises(ImageError) as raised:
            decode_image(content, "weld")
        assert raised.value.code == code
    assert decode_image(image + b"\n", "weld").pixels.shape == (HEIGHT, WIDTH, 3)
