"""JPEG views: how many images of equal rank a JPEG file holds, behind one another."""

from dataclasses import dataclass

# ISO/IEC 10918-1, table B.1: start of frame, all but DHT, JPG and DAC; start of scan; markers without a length.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA
_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}
_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
# Gain maps and depth maps may be as large as the image; XMP in them says what they are.
_GAIN_MAPS = (b"hdrgm", b"HDRGainMap", b"aux:hdrgainmap", b"urn:com:apple:photo", b"urn:iso:std:iso:ts:21496")


@dataclass(frozen=True)
class _Frame:
    n_pixels: int
    is_aside: bool
    scan: int  # where the coded data begin


def count_views(content: bytes) -> int:
    """Return the number of images in a JPEG file that are as large as the first, itself included.

    Stereo cameras (MPO) and streams of JPEGs hold such; previews are smaller, gain maps are named, and what phones
    append besides (a short film) is no JPEG.
    """
    first = _frame(content, 0)
    if first is None:
        return 1
    n, at = 1, first.scan
    if content.rfind(_START, at) < 0:  # of most, and three times as fast as a search forward
        return n
    while (end := content.find(_END, at)) >= 0 and (start := content.find(_START, end)) >= 0:
        other = _frame(content, start)
        n += other is not None and not other.is_aside and other.n_pixels >= first.n_pixels
        at = other.scan if other else start + len(_START)
    return n


def _frame(content: bytes, at: int) -> _Frame | None:
    """Return the image whose start marker lies there, or None where no image follows it."""
    at += 2
    n_pixels, is_aside = 0, False
    while at + 4 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker = content[at + 1]
        if marker == 0xFF or marker in _BARE:  # noqa: PLR2004 - fill byte
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if marker in _FRAMES and length >= 8:  # noqa: PLR2004 - bits, height, width, number of components
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            n_pixels = int.from_bytes(height, "big") * int.from_bytes(width, "big")
        is_aside |= any(mark in content[at + 4 : at + 2 + length] for mark in _GAIN_MAPS) if marker >= 0xE0 else False  # noqa: PLR2004
        at += 2 + length
        if marker == _SCAN:
            return _Frame(n_pixels, is_aside, at) if n_pixels else None
    return None
