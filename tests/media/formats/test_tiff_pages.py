import struct

import numpy as np
import pytest

from tests.media.handmade import page, tiff
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import decode_image

FULL = np.full((20, 30), 200, np.uint8)
SMALL = np.full((4, 6), 90, np.uint8)


def shape(*pages):
    return decode_image(tiff(*pages), "weld.tif").pixels.shape[:2]


@pytest.mark.parametrize("flag", [{"tag_254": 1}, {"tag_255": 2}])
def test_page_that_calls_itself_a_smaller_copy_is_not_the_image(flag):
    assert shape(page(SMALL, **flag), page(FULL)) == (20, 30)
    assert shape(page(FULL), page(SMALL, **flag)) == (20, 30)


def test_mask_and_depth_map_are_no_images():
    assert shape(page(FULL), page(FULL, tag_254=4), page(FULL, tag_254=8)) == (20, 30)


@pytest.mark.parametrize("second", [page(FULL), page(SMALL), page(FULL, tag_254=2), page(FULL, tag_255=3)])
def test_several_pages_are_refused_with_their_count(second):
    with pytest.raises(ImageError, match="holds 2 pages, and a verdict is on one; save each as its own file") as raised:
        shape(page(SMALL), second)
    assert raised.value.code == "several_images"


def test_copy_that_is_larger_than_the_image_is_not_believed():
    with pytest.raises(ImageError, match="holds 2 pages"):
        shape(page(SMALL), page(FULL, tag_254=1))


def test_only_page_is_the_image_whatever_it_calls_itself():
    assert shape(page(FULL, tag_254=1)) == (20, 30)


def test_image_below_its_preview_is_found():
    # As raw formats have it: the first page is a preview, whose tag 330 leads to the image.
    content = bytearray(tiff(page(SMALL, tag_254=1, tag_330=0), page(FULL)))
    first = struct.unpack_from("<I", content, 4)[0]
    n = struct.unpack_from("<H", content, first)[0]
    link = first + 2 + 12 * n
    below = struct.unpack_from("<I", content, link)[0]
    struct.pack_into("<I", content, link, 0)
    at = next(first + 2 + 12 * k for k in range(n) if struct.unpack_from("<H", content, first + 2 + 12 * k) == (330,))
    struct.pack_into("<I", content, at + 8, below)
    assert decode_image(bytes(content), "weld.tif").pixels.shape[:2] == (20, 30)


def test_page_beyond_the_end_is_a_cut_file():
    whole = tiff(page(FULL), page(FULL))
    with pytest.raises(ImageError) as raised:
        decode_image(whole[:-20], "weld.tif")
    assert raised.value.code == "truncated"


def test_limit_is_asked_of_the_page_that_counts_before_it_is_decoded():
    huge = (b"", 100_000, 100_000, {})
    with pytest.raises(ImageError, match="100000×100000 px are more than the 50,000,000 allowed"):
        shape(page(SMALL, tag_254=1), huge)


def test_directories_in_a_ring_or_without_end_cost_no_time():
    content = bytearray(tiff(page(FULL)))
    first = struct.unpack_from("<I", content, 4)[0]
    link = first + 2 + 12 * struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, link, first)
    assert decode_image(bytes(content), "weld.tif").pixels.shape[:2] == (20, 30)
    with pytest.raises(ImageError):
        decode_image(b"II*\0\x08\0\0\0" + b"\xff\xff" * 400_000, "weld.tif")
