"""Image reader: files as RGB arrays, in training and in use, so that both see the same pixels."""

import io
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image, ImageOps, UnidentifiedImageError

from weld_pipeline.core.errors import WeldError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".ppm")
# Pillow knows more, some of which start other programs; a weld is photographed in these.
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_CONVERTIBLE = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr")
_VALUES_16_PER_8 = 257  # 65,535 / 255: white stays white
# Exceptions of Pillow's decoders on broken bytes, seen by cutting and garbling files of every format.
_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip

Code = Literal["missing", "empty", "unreadable", "not_an_image", "too_large", "unsupported", "truncated"]


class ImageError(WeldError):
    """An image that cannot be used.

    Args:
        code: Kind of problem, as the manifest names it.
        what: Problem and next step.
    """

    def __init__(self, code: Code, name: object, what: str) -> None:
        super().__init__(f"image {name}: {what}")
        self.code = code
        self.what = what


def read_image(path: Path, *, max_pixels: int = 100_000_000) -> UInt8[np.ndarray, "H W 3"]:
    """Return an image as RGB, upright as its EXIF orientation says.

    Grey becomes three equal channels. 16-bit grey is divided by 257 and rounded; of 16-bit colour Pillow keeps the high
    byte. Transparent pixels are put on black. CMYK is converted by Pillow, without its colour profile. Of a file of
    several frames (GIF, TIFF, a phone's MPO) the first is read.

    Args:
        path: The file; its content, not its suffix, tells the format.
        max_pixels: Larger images are refused before they are decoded.

    Raises:
        ImageError: If the file is missing, empty, unreadable, no image, too large, of 32-bit pixel values or
            incomplete.
    """
    try:
        with path.open("rb") as file:
            return _read(file, str(path), max_pixels=max_pixels)
    except FileNotFoundError as error:
        raise ImageError("missing", path, "no such file; check the path") from error
    except (PermissionError, IsADirectoryError) as error:
        raise ImageError("unreadable", path, f"cannot be opened ({error.strerror}); grant access to it") from error


def read_image_bytes(content: bytes, name: str, *, max_pixels: int = 100_000_000) -> UInt8[np.ndarray, "H W 3"]:
    """Return the image in a file's bytes; see `read_image`.

    Args:
        name: Name in errors.
    """
    return _read(io.BytesIO(content), name, max_pixels=max_pixels)


def _read(file: io.BufferedReader | io.BytesIO, name: str, *, max_pixels: int) -> UInt8[np.ndarray, "H W 3"]:
    if not file.seek(0, io.SEEK_END):
        raise ImageError("empty", name, "the file has 0 bytes; copy it again from the camera")
    file.seek(0)
    image = _open(file, name)
    if image.width * image.height > max_pixels:
        size = f"{image.width}×{image.height} px are more than the {max_pixels:,} allowed"
        raise ImageError("too_large", name, f"{size}; cut it up, or raise max_pixels")
    try:
        image.load()  # all of it, or an error; Pillow fills a cut file with grey only on request
        ImageOps.exif_transpose(image, in_place=True)
    except _DECODER_ERRORS as error:
        raise ImageError("truncated", name, f"does not decode to its end ({error}); copy it again") from error
    return _rgb(image, name)


def _open(file: io.BufferedReader | io.BytesIO, name: str) -> Image.Image:
    """Return the image with its header read."""
    try:
        return Image.open(file, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", name, f"{error}; cut it up") from error
    except UnidentifiedImageError as error:
        known = ", ".join(_FORMATS)
        raise ImageError("not_an_image", name, f"is none of {known}; convert it, or take it away") from error
    except _DECODER_ERRORS as error:
        raise ImageError("truncated", name, f"its header does not decode ({error}); copy it again") from error


def _rgb(image: Image.Image, name: str) -> UInt8[np.ndarray, "H W 3"]:
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and image.format == "PPM"):  # Pillow reads PGM as 32-bit
        grey = _eight_bit(np.asarray(image).astype(np.uint16))
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode not in _CONVERTIBLE:
        what = f"has pixel values of kind {image.mode}, neither 8 nor 16 bit; save it as an 8- or 16-bit image"
        raise ImageError("unsupported", name, what)
    if image.has_transparency_data:
        see_through = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", see_through.size, (0, 0, 0, 255)), see_through)
    return np.array(image.convert("RGB"))


def _eight_bit(values: UInt16[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    return ((values.astype(np.uint32) + _VALUES_16_PER_8 // 2) // _VALUES_16_PER_8).astype(np.uint8)
