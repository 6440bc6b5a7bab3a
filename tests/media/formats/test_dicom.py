import builtins
import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.media.handmade import RAMP, SEEN, colours, encoded, scaled
from weld_pipeline.media.image_errors import ImageError
from weld_pipeline.media.images import decode_image


def dicom(values, *, stored=None, syntax=ExplicitVRLittleEndian, data=None, **elements):
    """Return a radiograph as a scanner writes it; `elements` by their DICOM keywords."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    bits = 8 * values.dtype.itemsize
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *values.shape[:2], 1
    dataset.BitsAllocated, dataset.BitsStored = bits, stored or bits
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(values.dtype.kind == "i")
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = values.tobytes() if data is None else data
    dataset["PixelData"].VR = "OW" if bits > 8 else "OB"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def difference(content, expected=SEEN, **options):
    decoded = decode_image(content, "weld.dcm", **options)
    assert decoded.warnings == ()
    return np.abs(decoded.pixels.astype(int) - expected[..., None]).max()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_stored_bits_are_black_to_white_and_monochrome1_is_inverted(bits):
    white = (1 << bits) - 1
    values = scaled(white).astype(np.uint8 if bits == 8 else np.uint16)
    assert difference(dicom(values, stored=bits)) <= 1
    assert difference(dicom(values, stored=bits, PhotometricInterpretation="MONOCHROME1"), 255 - SEEN) <= 1


def test_unused_high_bits_are_masked():
    assert difference(dicom(scaled(4095) | 0xA000, stored=12)) <= 1


def test_window_is_applied_to_rescaled_values():
    # Rescaled to 0 … 4095 and shown from 0 to 4095: PS3.3, C.11.2.1.2, with c = 2048 and w = 4096.
    shown = {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": [2048, 1], "WindowWidth": [4096, 2]}
    values = np.round((RAMP * 4095 + 1000) / 2).astype(np.uint16)
    assert difference(dicom(values, **shown)) <= 1
    inverted = dicom(values, PhotometricInterpretation="MONOCHROME1", **shown)
    assert difference(inverted, 255 - SEEN) <= 1


@pytest.mark.parametrize(
    ("function", "centre", "width", "expected"),
    [
        ("LINEAR", 50.5, 101, [0, 25.5, 127.5, 229.5, 255]),  # ½ and 1 are taken from centre and width
        ("LINEAR_EXACT", 50, 100, [0, 25.5, 127.5, 229.5, 255]),
        ("SIGMOID", 50, 100, [30.4, 42.8, 127.5, 212.2, 224.6]),  # 255 / (1 + e²), 255 / (1 + e^1.6)
    ],
)
def test_window_has_the_shape_that_the_file_names(function, centre, width, expected):
    values = np.array([[0, 10, 50, 90, 100]], np.uint16)
    content = dicom(values, WindowCenter=centre, WindowWidth=width, VOILUTFunction=function)
    seen = decode_image(content, "weld.dcm").pixels[0, :, 0].astype(float)
    assert np.abs(seen - expected).max() <= 0.51


def test_signed_values_span_their_whole_range_and_are_refused_where_that_is_in_doubt():
    values = (scaled(65535).astype(int) - 32768).astype(np.int16)
    assert difference(dicom(values)) <= 1
    assert difference(dicom((scaled(4095).astype(int) - 2048).astype(np.int16), stored=12)) <= 1
    with pytest.raises(ImageError, match="never fall below 0 and no window, so its black is not known"):
        decode_image(dicom(scaled(4095).astype(np.int16)), "weld.dcm")
    assert difference(dicom(scaled(4095).astype(np.int16), WindowCenter=2048, WindowWidth=4096)) <= 1


def test_negative_slope_turns_black_and_white():
    assert difference(dicom(scaled(4095), stored=12, RescaleSlope=-1, RescaleIntercept=4095), 255 - SEEN) <= 1


def test_sixteen_bits_without_a_window_warn_where_they_are_low_and_may_be_stated():
    content = dicom(scaled(4095))
    assert "low_values: " in decode_image(content, "weld.dcm").warnings[0]
    assert difference(content, sample_bits=12) <= 1


def test_frames_are_counted_whether_or_not_the_file_tells():
    three = np.stack([scaled(65535)] * 3)
    told = dicom(three[0], data=three.tobytes(), NumberOfFrames=3)
    untold = dicom(three[0], data=three.tobytes())
    for content in (told, untold):
        with pytest.raises(ImageError, match="holds 3 frames, and a verdict is on one") as raised:
            decode_image(content, "weld.dcm")
        assert raised.value.code == "several_images"


def test_size_is_asked_before_anything_is_decoded(monkeypatch):
    monkeypatch.setattr(Dataset, "pixel_array", property(lambda _: pytest.fail("decoded")))
    content = dicom(scaled(65535), Rows=30_000, Columns=30_000, syntax=RLELossless, data=encapsulate([b"\0" * 64]))
    with pytest.raises(ImageError, match="30000×30000 px are more than") as raised:
        decode_image(content, "weld.dcm")
    assert raised.value.code == "too_large"


def test_jpeg_inside_is_decoded_and_what_nothing_decodes_is_named():
    grey = colours().convert("L")
    content = dicom(np.asarray(grey), syntax=JPEGBaseline8Bit, data=encapsulate([encoded(grey, "JPEG", quality=100)]))
    assert np.abs(decode_image(content, "x").pixels[..., 0].astype(int) - np.asarray(grey)).max() <= 4
    unknown = dicom(scaled(65535), syntax=JPEGLSLossless, data=encapsulate([b"\xff\xd8\xff\xf7" + bytes(60)]))
    with pytest.raises(ImageError, match=r"is compressed as JPEG-LS Lossless .*; save it as uncompressed") as raised:
        decode_image(unknown, "weld.dcm")
    assert raised.value.code == "unsupported"


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "16-bit PALETTE COLOR"),
        ({"BitsStored": 12, "HighBit": 15}, "below bit 15"),
        ({"VOILUTSequence": [Dataset()]}, "look-up table"),
        ({"syntax": DeflatedExplicitVRLittleEndian}, "deflated"),
    ],
)
def test_what_is_not_read_is_refused_in_words(elements, words):
    with pytest.raises(ImageError, match=words) as raised:
        decode_image(dicom(scaled(65535), **elements), "weld.dcm")
    assert raised.value.code == "unsupported"


def test_colours_of_a_camera_are_kept():
    image = np.asarray(colours())
    content = dicom(
        image[..., 0], data=image.tobytes(), SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
    )
    np.testing.assert_array_equal(decode_image(content, "x").pixels, image)


@pytest.mark.parametrize("kept", [140, 400, -9])
def test_cut_file_gives_no_image(kept):
    with pytest.raises(ImageError):
        decode_image(dicom(scaled(65535))[:kept], "weld.dcm")


def test_without_pydicom_the_extra_is_named(monkeypatch):
    load = builtins.__import__

    def without(name, *rest, **options):
        if name == "pydicom":
            raise ImportError(name)
        return load(name, *rest, **options)

    content = dicom(scaled(65535))
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImageError, match=r"install it with `pip install 'weld-pipeline\[dicom\]'`") as raised:
        decode_image(content, "weld.dcm")
    assert raised.value.code == "unsupported"
