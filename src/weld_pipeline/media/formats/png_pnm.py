"""PNG and PNM white: the largest sample, as the files themselves declare it."""

import re

import numpy as np

from weld_pipeline.core.shapes import UInt16
from weld_pipeline.media.formats.levels import Samples, is_scaled_up
from weld_pipeline.media.image_errors import ImageError, check_size, several_images

_PNG_START = b"\x89PNG\r\n\x1a\n"
_FULL = 65535
_PNM = re.compile(rb"P([56])" + rb"(?:\s|#[^\n\r]*[\n\r])+(\d{1,9})" * 3 + rb"\s")


def png_white(content: bytes, values: UInt16[np.ndarray, "..."]) -> int | None:
    """Return the white that a PNG of 16-bit samples declares by its chunk sBIT; None without one.

    sBIT tells how many bits the samples had before they were scaled up to 16, as the PNG specification (3rd edition,
    12.4) has it, and then white is that of 16 bits. Programs of some cameras write it and scale nothing. So the values
    decide: where all fit the declared bits and are not multiples of the shift, nothing was scaled.
    """
    bits = _significant_bits(content)
    if bits is None:
        return None
    is_unscaled = values.max(initial=0) < 1 << bits and not is_scaled_up(values, bits)
    return (1 << bits) - 1 if is_unscaled else _FULL


def _significant_bits(content: bytes) -> int | None:
    """Return the bits of sBIT if it gives every colour the same; None without the chunk."""
    at = len(_PNG_START)
    while content.startswith(_PNG_START) and at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind == b"sBIT":
            bits = content[at + 8 : at + 8 + min(length, 3)]
            return bits[0] if len(set(bits)) == 1 and 0 < bits[0] < 16 else None  # noqa: PLR2004
        if kind == b"IDAT":
            return None
        at += 12 + length
    return None


def pnm_samples(content: bytes, name: str, *, max_pixels: int) -> Samples | None:
    """Return the samples of a binary PGM or PPM by its own white; None for other files, and where that is 255.

    Raises:
        ImageError: If it is too large, cut off, or holds several images, which the format allows.
    """
    header = _PNM.match(content)
    if header is None:
        return None
    n_channels = 3 if header[1] == b"6" else 1
    width, height, white = (int(number) for number in header.groups()[1:])
    check_size(width, height, name, max_pixels=max_pixels)
    if not 0 < white <= _FULL:
        raise ImageError("unsupported", name, f"has a largest value of {white}; save it as an 8- or 16-bit image")
    n, kind = width * height * n_channels, np.dtype(">u2" if white > 255 else "u1")  # noqa: PLR2004
    end = header.end() + n * kind.itemsize
    if len(content) < end:
        what = f"holds {len(content) - header.end()} of {n * kind.itemsize} bytes of pixels; copy it again"
        raise ImageError("truncated", name, what)
    if _PNM.match(content, end):
        raise several_images(name, 1 + len(_PNM.findall(content, end)), "images")
    if white == 255:  # noqa: PLR2004
        return None
    stored = np.frombuffer(content, kind, n, header.end()).astype(np.uint16)
    values = stored.clip(max=white).reshape(height, width, *[n_channels] * (n_channels > 1))
    return Samples(values, kind.itemsize * 8, None if white == _FULL else white)
