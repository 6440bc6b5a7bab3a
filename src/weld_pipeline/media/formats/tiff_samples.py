"""TIFF samples: those of 9 to 16 bits, packed or not, of which Pillow reads some wrong and knows others not at all."""

import io
import struct
from collections.abc import Mapping

import numpy as np
from PIL import Image

from weld_pipeline.core.shapes import UInt8, UInt16
from weld_pipeline.media.formats.levels import Samples, turned
from weld_pipeline.media.formats.tiff_pages import TIFF_HEIGHT, TIFF_WIDTH, TiffPage, with_tags
from weld_pipeline.media.image_errors import ImageError

_BITS, _COMPRESSION, _PHOTOMETRIC, _FILL, _ORIENTATION = 258, 259, 262, 266, 274
_SAMPLES, _STRIP_ROWS, _PLANAR, _PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 284, 317, 322, 323
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 273, 279, 324, 325
_MAX_SAMPLE, _EXTRA, _FORMAT, _MAX_SIGNED = 281, 338, 339, 341
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_GREY, _COLOUR = (0, 1), 2
_PILLOW_BITS = (1, 2, 4, 8)
_WORD_BITS = 16
# None, LZW, Deflate (two numbers), PackBits, LZMA, Zstandard: what they give back are the bytes that went in.
_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)


def tiff_samples(content: bytes, page: TiffPage, name: str) -> Samples | None:
    """Return the samples of a page by its own tags, upright; None where Pillow reads them right.

    Raises:
        ImageError: If its kind of samples has no agreed black and white, or is packed in a way that is not read.
    """
    photometric, bits = page.number(_PHOTOMETRIC, 0), page.number(_BITS, 1)
    kind = page.number(_FORMAT, _UNSIGNED)
    if photometric not in (*_GREY, _COLOUR) or (bits in _PILLOW_BITS and kind != _SIGNED):
        return None
    _refuse_odd(page, name, bits=bits, kind=kind)
    n_colours = 3 if photometric == _COLOUR else 1
    n_stored, extra = page.number(_SAMPLES, 1), page.tags.get(_EXTRA, ())
    is_planar = page.number(_PLANAR, 1) != 1
    if any(extra) or n_stored != n_colours + len(extra) or (n_stored > 1 and _is_predicted(page) and not is_planar):
        return None
    if is_planar and n_stored > 1:
        planes = [_plane(content, page, name, plane, n_stored)[:, :, 0] for plane in range(n_colours)]
        values = np.stack(planes, axis=2)
    else:
        values = _chunky(content, page.tags, name, n_samples=n_stored)[:, :, :n_colours]
    values = values[:, :, 0] if n_colours == 1 else values
    if kind == _SIGNED:
        values, bits = _without_sign(values, bits, name), bits - 1
    upright = turned(values, page.number(_ORIENTATION, 1))
    return Samples(upright, bits, _declared_white(page, bits), is_inverted=photometric == 0)


def _refuse_odd(page: TiffPage, name: str, *, bits: int, kind: int) -> None:
    if kind == _FLOAT or bits > _WORD_BITS:
        mode, what = ("F", "floating point") if kind == _FLOAT else ("I", "whole numbers")
        has = f"has pixel values of kind {mode}, {what} of {bits} bits, for which no black and white are agreed"
        raise ImageError("unsupported", name, f"{has}; save it as an 8- or 16-bit image")
    is_packed = bits not in (8, _WORD_BITS)
    if len(set(page.tags.get(_BITS, (1,)))) > 1 or (
        is_packed and (_is_predicted(page) or page.number(_COMPRESSION, 1) not in _LOSSLESS)
    ):
        what = f"packs samples of {page.tags.get(_BITS)} bits by compression {page.number(_COMPRESSION, 1)} in a way not read"
        raise ImageError("unsupported", name, f"{what}; save it as an 8- or 16-bit image without compression")


def _declared_white(page: TiffPage, bits: int) -> int | None:
    """Return the white that tags declare, or None.

    MaxSampleValue is a statistic of the image to many writers, and the full scale of a sensor to others. A full scale is
    one less than a power of two; an image's own maximum stretches every image otherwise, and is not followed.
    """
    if bits < _WORD_BITS - 1:
        return (1 << bits) - 1
    white = page.number(_MAX_SIGNED, page.number(_MAX_SAMPLE, 0))
    is_full_scale = isinstance(white, int) and white > 255 and white & (white + 1) == 0  # noqa: PLR2004 - of 8 bits
    return white if is_full_scale and white < (1 << bits) - 1 else None


def _is_predicted(page: TiffPage) -> bool:
    return page.number(_PREDICTOR, 1) != 1 and page.number(_COMPRESSION, 1) != 1


def _plane(content: bytes, page: TiffPage, name: str, plane: int, n_planes: int) -> UInt16[np.ndarray, "H W 1"]:
    """Return the samples of one colour of a file that stores one behind the other."""
    tags = dict(page.tags)
    for tag in (_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES):
        if tag in tags:
            n = len(tags[tag]) // n_planes
            tags[tag] = tags[tag][plane * n : (plane + 1) * n]
    return _chunky(content, tags, name, n_samples=1)


def _chunky(
    content: bytes, tags: Mapping[int, tuple[int, ...]], name: str, *, n_samples: int
) -> UInt16[np.ndarray, "H W S"]:
    """Return samples that lie side by side, through Pillow, which is told that they are bytes or grey values."""
    page = TiffPage(0, tags)
    width, height, bits = page.width, page.height, page.number(_BITS, 1)
    order = "<" if content[:2] == b"II" else ">"
    if _is_predicted(page):  # differences of words are undone only where words are declared
        return _decoded(content, _described(page, width, bits))[:, :, None].astype(np.uint16)
    n_bytes = sum(tags.get(_STRIP_BYTES, ())) if page.number(_COMPRESSION, 1) == 1 else 0
    if bits > 8 and n_bytes >= 2 * width * height * n_samples:  # noqa: PLR2004
        bits = _WORD_BITS  # says 12 and stores 16, as some cameras do
    n_bits = n_samples * bits
    if 0 < n_bytes < -(-width * n_bits // 8) * height:
        raise struct.error(f"{n_bytes} bytes of pixels for {width}×{height} samples of {n_bits} bits")
    tile = page.number(_TILE_WIDTH, 0) * n_bits
    if tile % 8:
        raise ImageError("unsupported", name, f"has tiles of {tile} bits a line; save it without tiles")
    rows = _decoded(content, _described(page, -(-width * n_bits // 8), 8, tile_width=tile // 8))
    if bits == _WORD_BITS:
        values = rows.view(order + "u2").astype(np.uint16)
    else:
        values = rows.astype(np.uint16) if bits == 8 else _unpacked(rows, width * n_samples, bits)  # noqa: PLR2004
    return values.reshape(height, width, n_samples)


def _described(page: TiffPage, width: int, bits: int, *, tile_width: int = 0) -> dict[int, tuple[int, ...]]:
    """Return the tags of the same data as unsigned grey values, black as 0."""
    kept = (
        TIFF_HEIGHT, _COMPRESSION, _FILL, _STRIP_ROWS, _PREDICTOR, _TILE_HEIGHT, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES,
        _TILE_WIDTH,
    )  # fmt: skip
    tags = {tag: page.tags[tag] for tag in kept if tag in page.tags}
    if tile_width:
        tags[_TILE_WIDTH] = (tile_width,)
    return tags | {TIFF_WIDTH: (width,), _BITS: (bits,), _PHOTOMETRIC: (1,), _SAMPLES: (1,)}


def _decoded(content: bytes, tags: Mapping[int, tuple[int, ...]]) -> np.ndarray:
    with Image.open(io.BytesIO(with_tags(content, tags)), formats=("TIFF",)) as image:
        return np.array(image)


def _unpacked(rows: UInt8[np.ndarray, "H B"], n: int, bits: int) -> UInt16[np.ndarray, "H N"]:
    """Return the first samples of each line, which lie there bit behind bit, highest first."""
    first_bit = np.arange(n) * bits
    at, behind = first_bit // 8, 24 - bits - first_bit % 8  # a sample lies within three bytes
    values = np.empty((len(rows), n), np.uint16)
    for row, stored in enumerate(rows):  # line by line: all at once would take 16 bytes a sample
        line = np.pad(stored, (0, 2)).astype(np.uint32)
        three = line[at] << 16 | line[at + 1] << 8 | line[at + 2]
        values[row] = three >> behind.astype(np.uint32) & ((1 << bits) - 1)
    return values


def _without_sign(values: UInt16[np.ndarray, "H W *C"], bits: int, name: str) -> UInt16[np.ndarray, "H W *C"]:
    """Return signed samples as unsigned ones of a bit less; below 0 no black is agreed."""
    signed = values.astype(np.int32) - ((values >> (bits - 1)).astype(np.int32) << bits)
    if signed.min(initial=0) < 0:
        what = f"has signed pixel values of {bits} bits down to {signed.min()}, for which no black is agreed"
        raise ImageError("unsupported", name, f"{what}; save it with unsigned ones")
    return values
