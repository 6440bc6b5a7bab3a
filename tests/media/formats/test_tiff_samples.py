import io

import numpy as np
import pytest
import tifffile

from tests.media.handmade import HEIGHT, RAMP, SEEN, WIDTH, packed, page, scaled, tiff
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import decode_image


def difference(content, expected=SEEN):
    decoded = decode_image(content, "weld.tif")
    assert decoded.warnings == ()
    return np.abs(decoded.pixels[..., 0].astype(int) - expected).max()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_white_zero", [False, True])
@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 15, 16])
def test_packed_samples_of_any_width_are_seen_by_their_own_white(bits, is_white_zero, order):
    white = (1 << bits) - 1
    values = white - scaled(white) if is_white_zero else scaled(white)
    data = packed(values, bits) if bits < 16 else values.astype(f"{order}u2").tobytes()
    tags = {258: bits, 262: int(not is_white_zero)}
    assert difference(tiff((data, HEIGHT, WIDTH, tags), order=order)) <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_samples_that_lie_unpacked_in_words_are_seen_alike(bits, order):
    values = scaled((1 << bits) - 1).astype(f"{order}u2")
    assert difference(tiff(page(values, tag_258=bits), order=order)) <= 1


@pytest.mark.parametrize("tag", [281, 341])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_largest_sample_that_is_a_full_scale_is_white_in_either_photometric(tag, bits):
    white = (1 << bits) - 1
    assert difference(tiff(page(scaled(white), tag_258=16, **{f"tag_{tag}": white}))) <= 1
    inverted = page(white - scaled(white), tag_258=16, tag_262=0, **{f"tag_{tag}": white})
    assert difference(tiff(inverted)) <= 1


def test_largest_sample_that_is_the_images_own_maximum_stretches_nothing():
    values = scaled(65535)
    assert difference(tiff(page(values, tag_258=16, tag_281=int(values.max())))) <= 1


def test_largest_sample_that_a_value_exceeds_is_not_believed():
    assert difference(tiff(page(scaled(65535), tag_258=16, tag_281=4095))) <= 1


def test_signed_samples_above_zero_are_seen_and_below_are_refused():
    values = scaled(32767).astype(np.int16)
    assert difference(tiff(page(values, tag_258=16, tag_339=2))) <= 1
    with pytest.raises(
        ImageError, match=r"signed pixel values of 16 bits down to -7, .*; save it with unsigned"
    ) as raised:
        decode_image(tiff(page(values - values.min() - 7, tag_258=16, tag_339=2)), "weld.tif")
    assert raised.value.code == "unsupported"


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [(RAMP.astype(np.float32), 3, "floating point of 32"), (scaled(65535).astype(np.uint32), 1, "whole numbers of 32")],
)
def test_samples_of_32_bits_are_refused_in_their_own_words(values, kind, words):
    with pytest.raises(ImageError, match=f"{words} bits, for which no black and white are agreed; save it as an 8-"):
        decode_image(tiff(page(values, tag_258=32, tag_339=kind)), "weld.tif")


def written(values, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("packing", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}])
@pytest.mark.parametrize("order", ["<", ">"])
def test_strips_tiles_and_compression_change_nothing(order, packing, tile, is_big):
    options = {"byteorder": order, "bigtiff": is_big, "tile": tile, **packing}
    wide = np.tile(RAMP, (4, 2))
    grey, expected = np.round(wide * 65535).astype(np.uint16), np.round(wide * 255)
    assert difference(written(grey, photometric="miniswhite", **options), 255 - expected) <= 1
    rgb = np.stack([grey, grey[::-1], 65535 - grey], axis=2)
    for planes in ("contig", "separate"):
        stored = rgb if planes == "contig" else np.moveaxis(rgb, 2, 0)
        content = written(stored, photometric="rgb", planarconfig=planes, **options)
        assert np.abs(decode_image(content, "x").pixels - np.round(rgb / 257)).max() <= 1


def test_stored_orientation_turns_samples_of_16_bits():
    # EXIF 2.3, table 4: 6 is "rotate 90° clockwise to see it upright".
    content = tiff(page(scaled(65535), tag_258=16, tag_262=0, tag_274=6))
    assert difference(content, 255 - np.rot90(SEEN, -1)) <= 1


def test_packed_samples_are_cut_as_the_file_is():
    content = tiff((packed(scaled(4095), 12)[:-20], HEIGHT, WIDTH, {258: 12}))
    with pytest.raises(ImageError) as raised:
        decode_image(content, "weld.tif")
    assert raised.value.code == "truncated"


@pytest.mark.parametrize("tags", [{258: 12, 259: 7}, {258: 12, 259: 5, 317: 2}])
def test_packing_that_is_not_read_is_named(tags):
    with pytest.raises(ImageError, match=r"packs samples of .* in a way not read; save it as") as raised:
        decode_image(tiff((bytes(120), HEIGHT, WIDTH, tags)), "weld.tif")
    assert raised.value.code == "unsupported"
