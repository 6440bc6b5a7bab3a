"""DICOM and DICONDE radiographs: one frame as samples, by the tags of its own file; needs pydicom."""

import io
from typing import Any

import numpy as np

from weld_pipeline.core.shapes import Float
from weld_pipeline.media.formats.levels import Samples
from weld_pipeline.media.image_errors import DECODER_ERRORS, ImageError, check_size, several_images

# A deflated data set grows a thousandfold before its size can be asked.
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_WORD = 16
_SAVE = "save it as uncompressed MONOCHROME2 of up to 16 bits, or as PNG"


def is_dicom(content: bytes) -> bool:
    """Return whether a file's content is DICOM's, whatever its suffix."""
    return content[128:132] == b"DICM"


def dicom_samples(content: bytes, name: str, *, max_pixels: int) -> Samples:
    """Return the samples of a radiograph.

    Unused high bits are masked, the rescale is applied, then the first window, if there is one; without a window the
    whole range that the stored bits can hold is black to white. Of MONOCHROME1 0 is white.

    Raises:
        ImageError: If pydicom is not installed, the file has several frames, is too large, compressed in a way that
            nothing here decodes, or leaves open what is black and white.
    """
    try:
        import pydicom  # noqa: PLC0415 - an optional package, the extra `dicom`
    except ImportError as error:
        what = "is DICOM, which pydicom reads; install it with `pip install 'weld-pipeline[dicom]'`"
        raise ImageError("unsupported", name, what) from error
    if _DEFLATED in content[:4096]:
        raise ImageError("unsupported", name, f"is a deflated DICOM data set; {_SAVE}")
    try:
        dataset = pydicom.dcmread(io.BytesIO(content))
        _refuse(dataset, name, max_pixels=max_pixels)
        return _samples(dataset, _stored(dataset, name), name)
    except ImageError:
        raise
    except (pydicom.errors.InvalidDicomError, RuntimeError, *DECODER_ERRORS) as error:
        raise ImageError("truncated", name, f"does not decode to its end ({error}); copy it again") from error


def _refuse(dataset: Any, name: str, *, max_pixels: int) -> None:
    """Refuse what is not one image of grey or RGB samples, before any of it is decoded."""
    if "PixelData" not in dataset:
        raise ImageError("unsupported", name, f"is DICOM without whole-number pixel data; {_SAVE}")
    rows, columns, n_samples = int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel", 1))
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        n_frames = max(n_frames, len(dataset.PixelData) // max(1, rows * columns * n_samples * allocated // 8))
    if n_frames > 1:
        raise several_images(name, n_frames, "frames")
    check_size(columns, rows, name, max_pixels=max_pixels)
    kind = str(dataset.PhotometricInterpretation)
    if kind not in ("MONOCHROME1", "MONOCHROME2", "RGB") or allocated > _WORD or (kind == "RGB" and allocated != 8):  # noqa: PLR2004
        raise ImageError("unsupported", name, f"is DICOM of {allocated}-bit {kind}, which is not read; {_SAVE}")
    if int(dataset.get("HighBit", stored - 1)) != stored - 1:
        what = f"stores {stored} bits below bit {dataset.HighBit}, not at the low end"
        raise ImageError("unsupported", name, f"{what}; {_SAVE}")
    if "ModalityLUTSequence" in dataset or ("VOILUTSequence" in dataset and "WindowWidth" not in dataset):
        raise ImageError("unsupported", name, f"has a look-up table for its pixel values, which is not read; {_SAVE}")


def _stored(dataset: Any, name: str) -> np.ndarray:
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        values: np.ndarray = dataset.pixel_array
    except (RuntimeError, NotImplementedError, ImportError) as error:
        if not syntax.is_compressed:
            raise
        what = f"is compressed as {syntax.name}, for which no decoder is installed or which is broken"
        raise ImageError("unsupported", name, f"{what}; {_SAVE}") from error
    return values


def _samples(dataset: Any, values: np.ndarray, name: str) -> Samples:
    bits, is_signed = int(dataset.BitsStored), bool(dataset.get("PixelRepresentation", 0))
    if dataset.PhotometricInterpretation == "RGB":
        return Samples(values.astype(np.uint16), 8)
    is_white_zero = dataset.PhotometricInterpretation == "MONOCHROME1"
    slope, intercept = _number(dataset, "RescaleSlope", 1.0), _number(dataset, "RescaleIntercept", 0.0)
    width = _number(dataset, "WindowWidth", 0.0)
    if width > 0:
        centre = _number(dataset, "WindowCenter", 0.0)
        shown = _windowed(values * slope + intercept, centre, width, str(dataset.get("VOILUTFunction") or "LINEAR"))
        return Samples(np.round(shown * 255).astype(np.uint16), 8, is_inverted=is_white_zero)
    if is_signed and values.min(initial=0) >= 0:
        what = f"has signed pixel values that never fall below 0 and no window, so its black is not known; {_SAVE}"
        raise ImageError("unsupported", name, what)
    unsigned = (values.astype(np.int32) + ((1 << (bits - 1)) if is_signed else 0)).astype(np.uint16)
    white = (1 << bits) - 1 if is_signed or bits < _WORD else None  # 16 bits may be what a program writes always
    return Samples(unsigned, bits, white, is_inverted=is_white_zero != (slope < 0))


def _number(dataset: Any, keyword: str, default: float) -> float:
    """Return the first number of an element, which may be absent or empty."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return default
    return float(value if isinstance(value, int | float | str) else value[0])


def _windowed(values: Float[np.ndarray, "H W"], centre: float, width: float, function: str) -> Float[np.ndarray, "H W"]:
    """Return values through a window as 0 (black) to 1 (white); DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3."""
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR":
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return ((values - centre) / width + 0.5).clip(0, 1)
