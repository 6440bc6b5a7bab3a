"""Image reader: files as RGB arrays, in training and in use, so that both see the same pixels."""

import io
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from weld_pipeline.core.shapes import UInt8
from weld_pipeline.media.formats.dicom import dicom_samples, is_dicom
from weld_pipeline.media.formats.jpeg_views import count_views
from weld_pipeline.media.formats.levels import Samples, eight_bit
from weld_pipeline.media.formats.png_pnm import check_png, png_white, pnm_samples
from weld_pipeline.media.formats.tiff_pages import TIFF_MARKS, TiffPage, image_page, with_page_first
from weld_pipeline.media.formats.tiff_samples import tiff_samples
from weld_pipeline.media.image_errors import DECODER_ERRORS, MAX_PIXELS, ImageError, check_size, several_images

# Pillow knows more, some of which start other programs; a weld is photographed in these.
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000")
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_CONVERTIBLE = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr")
_SIXTEEN_BIT_COLOUR = re.compile(r"(?P<channels>RGB|RGBA|RGBX|RGBa|LA);16(?P<order>[BLN])")
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_COLOUR_MAP = 320
_JPEG_MARK = b"\xff\xd8\xff"
_EXIF_ORIENTATION, _LYING = 0x0112, (5, 6, 7, 8)  # EXIF's tag, and its values where rows and columns change places
# More than any image of so many pixels takes, uncompressed and with all that cameras add.
_MAX_BYTES_PER_PIXEL, _MAX_BYTES_BESIDE = 16, 1 << 28

# What Pillow would warn of is refused here by the limit in force.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class DecodedImage:
    """An image as it is judged.

    Attributes:
        pixels: RGB, upright; white is 255.
        height: Height of the upright image in the file [px], which a JPEG may be decoded below.
        width: Width of it [px].
        warnings: What is doubtful about its pixel values, each as `code: what; what to do`.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    height: int
    width: int
    warnings: tuple[str, ...] = ()


def read_image(
    path: Path, *, max_pixels: int = MAX_PIXELS, sample_bits: int | None = None, jpeg_px: int | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Return an image as RGB, upright as its EXIF orientation says.

    Grey becomes three equal channels. Samples of more than 8 bits are scaled to 8 and rounded, by the bits and the white
    that the file declares. Transparent pixels are put on black, unless all are transparent: then the colours count.
    CMYK is converted by Pillow, without its colour profile.

    Args:
        path: The file; its content, not its suffix, tells the format.
        max_pixels: Larger images are refused before they are decoded.
        sample_bits: Bits that the samples of 16-bit images truly have where the file does not say; None: 16.
        jpeg_px: Side of the square that the image will be resized to. A JPEG is decoded at a half, a quarter or an eighth of
            its size, as long as both sides keep twice as many pixels; an eighth costs a tenth. None: at its own size.

    Raises:
        ImageError: If the file is missing, empty, unreadable, no image, too large, incomplete, damaged, holds several images,
            or pixel values without an agreed black and white.
    """
    content = read_content(path, max_pixels=max_pixels)
    return read_image_bytes(content, str(path), max_pixels=max_pixels, sample_bits=sample_bits, jpeg_px=jpeg_px)


def read_image_bytes(
    content: bytes,
    name: str,
    *,
    max_pixels: int = MAX_PIXELS,
    sample_bits: int | None = None,
    jpeg_px: int | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the image in a file's bytes; see `read_image`.

    Args:
        name: Name in errors.
    """
    return decode_image(content, name, max_pixels=max_pixels, sample_bits=sample_bits, jpeg_px=jpeg_px).pixels


def read_content(path: Path, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return the bytes of an image file, of which there are no more than an image of so many pixels can have.

    Raises:
        ImageError: If it is missing, cannot be opened, or is larger than that.
    """
    try:
        with path.open("rb") as file:
            n_bytes = file.seek(0, io.SEEK_END)
            if n_bytes > _MAX_BYTES_PER_PIXEL * max_pixels + _MAX_BYTES_BESIDE:
                what = f"{n_bytes:,} bytes are more than any image of {max_pixels:,} pixels has; cut it up"
                raise ImageError("too_large", path, what)
            file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        raise ImageError("missing", path, "no such file; check the path") from error
    except OSError as error:
        raise ImageError("unreadable", path, f"cannot be opened ({error.strerror}); grant access to it") from error


def decode_image(
    content: bytes,
    name: str,
    *,
    max_pixels: int = MAX_PIXELS,
    sample_bits: int | None = None,
    jpeg_px: int | None = None,
) -> DecodedImage:
    """Return the image in a file's bytes with its size and what is doubtful about it; see `read_image`."""
    image = open_image(content, name, max_pixels=max_pixels, jpeg_px=jpeg_px)
    pixels, doubts = _rgb(image, name, sample_bits=sample_bits)
    height, width = pixels.shape[:2] if jpeg_px is None else _upright_size(content, name, pixels)
    return DecodedImage(pixels, height, width, doubts)


def _upright_size(content: bytes, name: str, pixels: UInt8[np.ndarray, "h w 3"]) -> tuple[int, int]:
    """Return height and width of the image in a file that may have been decoded below its size."""
    if not content.startswith(_JPEG_MARK):
        return pixels.shape[0], pixels.shape[1]
    image = _header(content, name)
    across, down = image.size
    return (across, down) if image.getexif().get(_EXIF_ORIENTATION) in _LYING else (down, across)


def open_image(content: bytes, name: str, *, max_pixels: int, jpeg_px: int | None = None) -> Image.Image | Samples:
    """Return the upright image in a file's bytes, decoded: as Pillow holds it, or as samples of more than 8 bits.

    Raises:
        ImageError: See `read_image`.
    """
    if not content:
        raise ImageError("empty", name, "the file has 0 bytes; copy it again from the camera")
    if is_dicom(content):
        return dicom_samples(content, name, max_pixels=max_pixels)
    check_png(content, name)
    page = None
    try:
        if (samples := pnm_samples(content, name, max_pixels=max_pixels)) is not None:
            return samples
        if content[:4] in TIFF_MARKS:
            page = image_page(content, name)
            check_size(page.width, page.height, name, max_pixels=max_pixels)
            if (samples := tiff_samples(content, page, name)) is not None:
                return samples
            content = with_page_first(content, page)
        return _loaded(content, name, page, max_pixels=max_pixels, jpeg_px=jpeg_px)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise _unidentified(name, page) from error
    except DECODER_ERRORS as error:
        raise ImageError("truncated", name, f"does not decode to its end ({error}); copy it again") from error


def _loaded(
    content: bytes, name: str, page: TiffPage | None, *, max_pixels: int, jpeg_px: int | None
) -> Image.Image | Samples:
    """Return the image that Pillow reads, all of it, or an error; Pillow fills a cut file with grey only on request."""
    image = _header(content, name)
    check_size(image.width, image.height, name, max_pixels=max_pixels)
    _refuse_several(image, content, name)
    is_known = image.mode in (*_CONVERTIBLE, *_SIXTEEN_BIT) or (image.mode == "I" and image.format == "PPM")
    if not is_known:
        what = f"has pixel values of kind {image.mode}, neither grey nor RGB of 8 or 16 bit; save it as such an image"
        raise ImageError("unsupported", name, what)
    if (samples := _colour_samples(image, content, name)) is not None:
        return samples
    if jpeg_px is not None:
        image.draft(None, (2 * jpeg_px, 2 * jpeg_px))  # of formats but JPEG it changes nothing
    image.load()
    if image.mode == "P" and page is not None and max(page.tags[_COLOUR_MAP]) <= 255:  # noqa: PLR2004 - of 8 bits, not 16
        image.putpalette(bytes(page.tags[_COLOUR_MAP]), "RGB;L")
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "La":  # alpha multiplied in already, from which Pillow converts to LA alone
        return image.convert("LA")
    if image.mode in _SIXTEEN_BIT:
        values = np.asarray(image).astype(np.uint16)
        return Samples(values, 16, png_white(content, values))
    if image.mode == "I" and image.format == "PPM":  # Pillow has scaled them to 16 bits by the file's own white
        return Samples(np.asarray(image).astype(np.uint16), 16, 65535)
    return image


def _colour_samples(image: ImageFile.ImageFile, content: bytes, name: str) -> Samples | None:
    """Return opaque samples of 16 bits in several channels, of which Pillow keeps the high bytes; None for other images.

    Asked for the other byte order, it keeps the low ones.
    """
    args = image.tile[0].args if image.tile else ""
    rawmode = args[0] if isinstance(args, tuple) and args else args
    if not isinstance(rawmode, str) or not (kind := _SIXTEEN_BIT_COLOUR.match(rawmode)):
        return None
    # Grey with alpha has four bytes a pixel: as RGBA of 8 bits they are high and low byte of grey, then of alpha.
    other = "RGBA" if kind["channels"] == "LA" else f"{kind['channels']};16{_OTHER_ORDER[kind['order']]}"
    others = (other, *args[1:]) if isinstance(args, tuple) else other
    again = _header(content, name)
    again.tile = [tile._replace(args=others) for tile in again.tile]
    for part in (image, again):
        part.load()
        ImageOps.exif_transpose(part, in_place=True)
    if image.has_transparency_data and _alpha_range(image)[0] < 255:  # noqa: PLR2004
        return None
    high, low = (np.asarray(part)[:, :, :3].astype(np.uint16) for part in (image, again))
    values = low[:, :, 0] << 8 | low[:, :, 1] if kind["channels"] == "LA" else high << 8 | low
    return Samples(values, 16, png_white(content, values))


def _header(content: bytes, name: str) -> ImageFile.ImageFile:
    """Return the image with its header read."""
    try:
        return Image.open(io.BytesIO(content), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", name, f"{error}; cut it up") from error
    except UnidentifiedImageError:
        raise
    except DECODER_ERRORS as error:
        raise ImageError("truncated", name, f"its header does not decode ({error}); copy it again") from error


def _unidentified(name: str, page: TiffPage | None) -> ImageError:
    if page is not None:
        what = f"is a TIFF of {page.describe()}, which is not read; save it as an 8- or 16-bit grey or RGB image"
        return ImageError("unsupported", name, what)
    known = ", ".join((*_FORMATS, "DICOM"))
    return ImageError("not_an_image", name, f"is none of {known}; convert it, or take it away")


def _refuse_several(image: Image.Image, content: bytes, name: str) -> None:
    if image.format in ("JPEG", "MPO"):
        if (n_views := count_views(content)) > 1:
            raise several_images(name, n_views, "images of one size")
    elif image.format != "TIFF" and (n_frames := getattr(image, "n_frames", 1)) > 1:
        raise several_images(name, n_frames, "frames")


def _rgb(
    image: Image.Image | Samples, name: str, *, sample_bits: int | None
) -> tuple[UInt8[np.ndarray, "h w 3"], tuple[str, ...]]:
    if isinstance(image, Samples):
        pixels, found = eight_bit(image, name, stated_bits=sample_bits)
        rgb = np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else np.ascontiguousarray(pixels)  # noqa: PLR2004
        return rgb, tuple(found)
    seen, doubts = _without_alpha(image)
    return _array(seen if seen.mode == "RGB" else seen.convert("RGB")), doubts


def _without_alpha(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Return an image on black; the colours of one whose every pixel is transparent, for nobody meant that."""
    if not image.has_transparency_data:
        return image, ()
    see_through = image.convert("RGBA")
    lowest, highest = _alpha_range(see_through)
    if lowest == 255:  # noqa: PLR2004 - opaque everywhere
        return see_through.convert("RGB"), ()
    if highest == 0:
        what = "no_alpha: every pixel is transparent, so transparency was left out and the colours count"
        return see_through.convert("RGB"), (f"{what}; save it without an alpha channel",)
    return Image.alpha_composite(Image.new("RGBA", see_through.size, (0, 0, 0, 255)), see_through), ()


def _alpha_range(image: Image.Image) -> tuple[int, int]:
    """Return the lowest and the highest alpha."""
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    return int(alpha.min()), int(alpha.max())


def _array(image: Image.Image) -> UInt8[np.ndarray, "H W 3"]:
    """Return the pixels of an RGB image, copied once and free to be written to.

    As PPM they are written in parts that stay in the processor's cache, a third of the time of `np.asarray` at 12 MP.
    """
    buffer = io.BytesIO()
    image.save(buffer, "PPM")
    written, n = buffer.getbuffer(), image.width * image.height * 3
    return np.frombuffer(written, np.uint8, n, len(written) - n).reshape(image.height, image.width, 3)
