import io

import pytest
from PIL import Image

from tests.media.handmade import colours, encoded
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import decode_image

FIRST, SECOND = colours(seed=1), colours(seed=2)
PREVIEW = FIRST.resize((20, 15))


def mpo(*others):
    buffer = io.BytesIO()
    FIRST.save(buffer, "MPO", save_all=True, append_images=others)
    return buffer.getvalue()


def jpeg(image, **options):
    return encoded(image, "JPEG", **options)


@pytest.mark.parametrize(
    ("content", "n"),
    [
        (mpo(SECOND), 2),
        (mpo(PREVIEW, SECOND), 2),
        (jpeg(FIRST) + jpeg(SECOND) + jpeg(FIRST), 3),
        (jpeg(FIRST, progressive=True) + bytes(100) + jpeg(SECOND, progressive=True), 2),
    ],
)
def test_views_of_one_size_are_refused_with_their_count(content, n):
    with pytest.raises(ImageError, match=f"holds {n} images of one size, and a verdict is on one") as raised:
        decode_image(content, "weld.jpg")
    assert raised.value.code == "several_images"


GAIN_MAP = b'http://ns.adobe.com/xap/1.0/\0<x hdrgm:Version="1.0"/>'


@pytest.mark.parametrize(
    "content",
    [
        mpo(PREVIEW),
        jpeg(FIRST) + jpeg(FIRST, xmp=GAIN_MAP),
        jpeg(FIRST) + bytes(300),
        jpeg(FIRST) + b"\0\0\0\x18ftypmp42" + b"\xff\xd8\xff" * 9,
        jpeg(FIRST, exif=b"Exif\0\0" + jpeg(FIRST)),
    ],
)
def test_what_lies_beside_an_image_does_not_keep_it_from_being_judged(content):
    with Image.open(io.BytesIO(jpeg(FIRST))) as expected:
        assert (decode_image(content, "weld.jpg").pixels == expected).all()
