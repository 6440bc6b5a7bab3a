"""PNG and PNM: the check sums of a PNG, and white, the largest sample, as the files themselves declare it."""

import re
import zlib
from collections.abc import Iterator

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


def check_png(content: bytes, name: str) -> None:
    """Refuse a PNG of which a part does not match its own check sum; other files pass.

    Pillow leaves the sums of IDAT unread: of flipped bits, a third decode to other pixels without an error. Texts behind
    the pixels are left alone, as by Pillow.

    Raises:
        ImageError: If a sum is not that of its bytes; a file that is cut off is left to the decoder.
    """
    is_behind_pixels = False
    for kind, at, length in _png_chunks(content):
        end, is_side_note = at + length, bool(kind[:1].islower())
        is_behind_pixels |= kind == b"IDAT"
        if end + 4 > len(content) or (is_behind_pixels and is_side_note):
            continue
        if zlib.crc32(memoryview(content)[at - 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            part = f"its part {kind.decode('ascii', 'replace')} at byte {at}"
            what = f"{part} does not match its own check sum, so it is not what was saved"
            raise ImageError("damaged", name, f"{what}; copy it again")


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first byte and length of what each chunk of a PNG holds, to its end; nothing of other files."""
    at, kind = len(_PNG_START), b""
    while content.startswith(_PNG_START) and at + 8 <= len(content) and kind != b"IEND":
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        yield kind, at + 8, length
        at += 12 + length


def _significant_bits(content: bytes) -> int | None:
    """Return the bits of sBIT if it gives every colour the same; None without the chunk."""
    for kind, at, length in _png_chunks(content):
        if kind == b"sBIT":
            bits = content[at : at + min(length, 3)]
            return bits[0] if len(set(bits)) == 1 and 0 < bits[0] < 16 else None  # noqa: PLR2004
        if kind == b"IDAT":
            return None
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
