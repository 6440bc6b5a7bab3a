import pytest

from tests.media.handmade import colours, encoded, tiff
from weld_pipeline.media.suffixes import IMAGE_SUFFIXES, VIDEO_SUFFIXES, media_of, media_of_head, sniff_media


def test_no_suffix_is_both_and_all_are_small_letters():
    assert not set(IMAGE_SUFFIXES) & set(VIDEO_SUFFIXES)
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in IMAGE_SUFFIXES + VIDEO_SUFFIXES)


@pytest.mark.parametrize(
    "suffix",
    [
        ".ts",
        ".m2ts",
        ".mts",
        ".h264",
        ".h265",
        ".hevc",
        ".mjpeg",
        ".asf",
        ".wmv",
        ".webm",
        ".mpg",
        ".vob",
        ".flv",
        ".3gp",
        ".mxf",
    ],
)
def test_videos_of_recorders_are_known_in_capitals_too(suffix):
    assert media_of(f"a{suffix}") == media_of(f"A{suffix.upper()}") == "video"


@pytest.mark.parametrize("suffix", [".jp2", ".dcm", ".jpe", ".jfif", ".pbm", ".pnm", ".tif", ".JPG"])
def test_images_of_scanners_are_known(suffix):
    assert media_of(f"a{suffix}") == "image"


@pytest.mark.parametrize("suffix", [".tga", ".PCX", ".ico", ".dng", ".cr3", ".heic", ".avif", ".hdr"])
def test_images_that_no_reader_knows_are_images_all_the_same(suffix):
    assert media_of(f"a{suffix}") == "image"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "PPM", "TIFF", "JPEG2000"])
def test_image_is_known_by_its_first_bytes(tmp_path, form):
    (tmp_path / "image.dat").write_bytes(encoded(colours(), form))
    assert sniff_media(tmp_path / "image.dat") == "image"


@pytest.mark.parametrize(
    ("head", "media"),
    [
        (tiff((bytes(4), 2, 2, {}), order=">"), "image"),
        (bytes(128) + b"DICM", "image"),
        (b"\0\0\0\x18ftypheic", "image"),
        (b"\0\0\0\x18ftypcrx ", "image"),
        (b"\0\0\0\x18ftypisom", "video"),
        (b"\0\0\0\x18ftypM4A ", None),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        ((b"G" + bytes(187)) * 3, "video"),
        ((bytes(4) + b"G" + bytes(187)) * 3, "video"),
        (b"\0\0\0\x01\x67\x64", "video"),
        (b"BM is how a text begins, too", None),
        (b"P5 is one, too", None),
        (b"path,label\na.png,good\n", None),
        (b"", None),
    ],
)
def test_first_bytes_tell(head, media):
    assert media_of_head(head[:512]) == media
