import contextlib
import io
import struct
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.media.handmade import encoded
from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import decode_image, read_image, read_image_bytes
from weld_pipeline.media.resize import resize_to_square

COLOURS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def read(content, **options):
    return read_image_bytes(content, "weld.png", **options)


def test_rgb_comes_back_as_it_was_saved(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "weld.png")
    np.testing.assert_array_equal(read_image(tmp_path / "weld.png"), COLOURS)


def test_bytes_and_file_give_the_same_image(tmp_path):
    content = encoded(Image.fromarray(COLOURS), "JPEG")
    (tmp_path / "weld.jpg").write_bytes(content)
    np.testing.assert_array_equal(read_image(tmp_path / "weld.jpg"), read(content))


def test_grey_becomes_three_equal_channels():
    image = read(encoded(Image.fromarray(COLOURS[..., 0]), "PNG"))
    np.testing.assert_array_equal(image, np.repeat(COLOURS[..., :1], 3, axis=2))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_is_scaled_by_257_and_rounded(form):
    values = np.array([[0, 128, 129, 257, 385, 386, 32768, 65406, 65407, 65535]], dtype=np.uint16)
    # By hand: v / 257 is 0, .498, .502, 1, 1.498, 1.502, 127.502, 254.498, 254.502, 255.
    expected = [0, 0, 1, 1, 1, 2, 128, 254, 255, 255]
    image = read(encoded(Image.fromarray(values), form))
    assert image[0].tolist() == [[value] * 3 for value in expected]


def test_big_endian_sixteen_bit_tiff_is_read_like_any_other():
    values = np.array([[257, 514], [65535, 0]], dtype=np.uint16)
    image = Image.frombytes("I;16B", (2, 2), values.astype(">u2").tobytes())
    assert read(encoded(image, "TIFF"))[..., 0].tolist() == [[1, 2], [255, 0]]


def test_palette_gives_its_colours():
    image = Image.fromarray(COLOURS).quantize(16)
    np.testing.assert_array_equal(read(encoded(image, "PNG")), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("mode", "pixel"), [("RGBA", (200, 100, 50, 128)), ("LA", (200, 128))])
def test_transparent_is_seen_on_black(mode, pixel):
    image = read(encoded(Image.new(mode, (2, 2), pixel), "PNG"))
    expected = np.array(pixel[:-1]) * 128 / 255
    assert np.abs(image[0, 0] - np.broadcast_to(expected, 3)).max() <= 1


def test_grey_with_alpha_multiplied_in_is_seen_on_black():
    buffer = io.BytesIO()
    pixels = np.stack([np.full((4, 4), 60, np.uint8), np.full((4, 4), 128, np.uint8)], axis=2)
    tifffile.imwrite(buffer, pixels, photometric="minisblack", extrasamples=["assocalpha"])
    assert np.abs(read(buffer.getvalue())[0, 0].astype(int) - 60).max() <= 1


def test_colour_made_transparent_by_a_palette_is_black():
    image = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), mode="P")
    image.putpalette([250, 0, 0, 0, 250, 0])
    assert read(encoded(image, "PNG", transparency=0)).tolist() == [[[0, 0, 0], [0, 250, 0]]]


def test_cmyk_is_converted_as_pillow_does():
    image = Image.new("CMYK", (4, 4), (255, 0, 0, 0))  # pure cyan ink takes away red
    assert read(encoded(image, "TIFF"))[0, 0].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, np.rot90)],
)
def test_image_is_upright_as_its_camera_was_held(orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation  # EXIF 2.3, table 4: 6 is "rotate 90° clockwise to see it upright"
    image = read(encoded(Image.fromarray(COLOURS), "PNG", exif=exif.tobytes()))
    np.testing.assert_array_equal(image, turned(COLOURS))


@pytest.mark.parametrize(("form", "of"), [("GIF", "frames"), ("PNG", "frames"), ("WEBP", "frames"), ("TIFF", "pages")])
def test_file_of_several_images_is_refused_with_their_count(form, of):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 0, 255), (0, 255, 0))]
    with pytest.raises(ImageError, match=f"holds 3 {of}, and a verdict is on one; save each as its own file") as raised:
        read(encoded(frames[0], form, save_all=True, append_images=frames[1:]))
    assert raised.value.code == "several_images"
    assert read(encoded(frames[0], form, save_all=True)).shape == (4, 4, 3)


def bmp32(alpha):
    """A BMP of 32 bits with a mask for alpha (BITMAPV4HEADER)."""
    pixels = np.dstack([COLOURS[::-1, :, ::-1], np.full(COLOURS.shape[:2], alpha, np.uint8)]).tobytes()
    height, width = COLOURS.shape[:2]
    head = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + struct.pack("<I", 0x73524742) + bytes(48)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixels), 0, 0, 14 + len(head)) + head + pixels


@pytest.mark.parametrize(
    "write",
    [lambda alpha: encoded(Image.fromarray(np.dstack([COLOURS, np.full((30, 40), alpha, np.uint8)])), "PNG"), bmp32],
)
def test_image_that_is_transparent_everywhere_is_seen_in_its_colours(write):
    decoded = decode_image(write(0), "weld")
    np.testing.assert_array_equal(decoded.pixels, COLOURS)
    assert decoded.warnings[0].startswith("no_alpha: every pixel is transparent")
    opaque = decode_image(write(255), "weld")
    np.testing.assert_array_equal(opaque.pixels, COLOURS)
    assert opaque.warnings == ()


def test_colour_map_of_8_bits_in_a_tiff_is_not_black():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    palette = Image.fromarray(values, "P")
    palette.putpalette([v for k in range(256) for v in (k, 255 - k, k // 2)])
    content = bytearray(encoded(palette, "TIFF"))
    expected = read(bytes(content))
    at = content.index(struct.pack("<HHI", 320, 3, 768))
    start = struct.unpack_from("<I", content, at + 8)[0]
    wide = np.frombuffer(content, "<u2", 768, start)
    content[start : start + 1536] = (wide >> 8).astype("<u2").tobytes()
    np.testing.assert_array_equal(read(bytes(content)), expected)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixel_values_of_32_bits_are_refused(mode):
    with pytest.raises(
        ImageError, match=rf"image weld\.png: has pixel values of kind {mode}, .*; save it as"
    ) as raised:
        read(encoded(Image.new(mode, (4, 4)), "TIFF"))
    assert raised.value.code == "unsupported"


def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(monkeypatch):
    content = encoded(Image.new("1", (20_000, 6_000)), "PNG")  # 3 KB that would become 360 MB
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(ImageError, match=r"20000×6000 px are more than the 50,000,000 allowed; cut it up") as raised:
        read(content)
    assert raised.value.code == "too_large"


def test_a_bomb_that_pillow_itself_refuses_is_too_large():
    content = encoded(Image.new("1", (20_000, 10_000)), "PNG")
    with pytest.raises(ImageError, match="exceeds limit") as raised:
        read(content, max_pixels=10**9)
    assert raised.value.code == "too_large"


def test_limit_is_counted_in_pixels():
    content = encoded(Image.fromarray(COLOURS), "PNG")
    assert read(content, max_pixels=1200).shape == (30, 40, 3)
    with pytest.raises(ImageError):
        read(content, max_pixels=1199)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_cut_file_never_gives_a_partly_grey_image(form, kept):
    content = encoded(Image.fromarray(COLOURS), form)
    with pytest.raises(ImageError) as raised:
        read(content[: int(kept * len(content))])
    assert raised.value.code in ("truncated", "not_an_image")


@settings(max_examples=60)
@given(
    form=st.sampled_from(["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000"]),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_garbled_bytes_give_an_image_or_the_one_error(form, changes):
    content = bytearray(encoded(Image.fromarray(COLOURS), form))
    for place, value in changes:
        content[int(place * len(content))] = value
    with contextlib.suppress(ImageError):  # anything else that is raised fails the test
        assert read(bytes(content), max_pixels=10**6).shape[2] == 3


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", "empty", "the file has 0 bytes; copy it again"),
        (b"no image at all", "not_an_image", "is none of PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_an_image", "convert it"),
    ],
)
def test_what_is_no_image_is_told_with_the_next_step(content, code, message):
    with pytest.raises(ImageError, match=message) as raised:
        read(content)
    assert raised.value.code == code
    assert isinstance(raised.value, WeldError)


def test_missing_file_and_folder_are_told(tmp_path):
    with pytest.raises(ImageError, match=r"absent\.png: no such file; check the path"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match=r"cannot be opened .*; grant access"):
        read_image(tmp_path)


def test_image_can_be_written_to():
    image = read(encoded(Image.fromarray(COLOURS), "PNG"))
    image[0, 0] = 7
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous


def test_reader_brings_neither_torch_nor_pandas():
    code = "import sys, weld_pipeline.media.images; print([m for m in ('torch', 'pandas', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_file_longer_than_any_image_of_so_many_pixels_is_not_read(tmp_path):
    with (tmp_path / "weld.png").open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    with pytest.raises(
        ImageError, match="1,099,511,627,776 bytes are more than any image of 50,000,000 pixels"
    ) as raised:
        read_image(tmp_path / "weld.png")
    assert raised.value.code == "too_large"


def photograph(width, height, **options):
    """A JPEG with a slope and soft structure."""
    down, across = np.mgrid[:height, :width]
    grey = 120 + 60 * np.sin(across / 37) * np.cos(down / 29) + 40 * across / width
    pixels = np.stack([grey, grey * 0.9, 255 - grey], axis=2).clip(0, 255).astype(np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=90, **options)


@pytest.mark.parametrize(
    ("size", "jpeg_px", "decoded"),
    [
        ((800, 640), 100, (400, 320)),  # a third would still do, but libjpeg halves
        ((1600, 1400), 80, (200, 175)),  # an eighth
        ((399, 900), 100, (399, 900)),  # half of it would keep less than twice the square
        ((800, 640), None, (800, 640)),
    ],
)
def test_jpeg_is_decoded_near_the_size_it_is_needed_at_and_tells_its_own(size, jpeg_px, decoded):
    found = decode_image(photograph(*size), "weld.jpg", jpeg_px=jpeg_px)
    assert found.pixels.shape == (*decoded[::-1], 3)
    assert (found.width, found.height) == size


def test_jpeg_lying_on_its_side_tells_its_upright_size():
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode_image(photograph(800, 640, exif=exif.tobytes()), "weld.jpg", jpeg_px=100)
    assert (found.pixels.shape, found.width, found.height) == ((400, 320, 3), 640, 800)


def test_square_of_a_scaled_jpeg_is_that_of_the_whole_within_a_level_in_the_mean():
    content = photograph(1600, 1200)
    whole, scaled = (
        resize_to_square(decode_image(content, "weld.jpg", jpeg_px=px).pixels, 64, grey=False).astype(int)
        for px in (None, 64)
    )
    assert 0 < np.abs(whole - scaled).mean() < 1


def test_scaled_jpeg_that_was_cut_off_is_refused():
    content = photograph(800, 640)
    with pytest.raises(ImageError, match="does not decode to its end"):
        decode_image(content[: len(content) // 2], "weld.jpg", jpeg_px=100)


def test_other_formats_are_decoded_whole():
    content = encoded(Image.fromarray(np.zeros((640, 800, 3), np.uint8)), "PNG")
    assert decode_image(content, "weld.png", jpeg_px=50).pixels.shape == (640, 800, 3)
