"""Cut-off files: what is missing at the end by a container's own sizes, where it tells no length in time or not the truth."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 64 * 1024

# Size of a packet of a transport stream, and what lies before its mark: plain, with a time stamp before it (Blu-ray), with
# error correction behind it.
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))
_TS_MARK = 0x47
_TS_MARKS_SEEN = 5

_MP4_HEADER = 8
_MP4_BOXES = (b"moov", b"moof", b"mdat")

_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
# In that object the size of the file stands at byte 40, flags at 88; the lowest says that it is a broadcast of unknown size.
_ASF_SIZE, _ASF_FLAGS = 40, 88

# Names of Matroska's elements (RFC 9559): these hold others, and frames.
_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_OF_FRAMES = (_CLUSTER, b"\xa0", b"\xa3")

_OGG_HEADER = 27
_DV_SEQUENCE = 12_000


def missing_bytes(path: Path, format_name: str) -> str | None:
    """Return in words what is cut off the end of a file, or None.

    Args:
        format_name: FFmpeg's name of the container; those that are not known here tell nothing.
    """
    look = _LOOKS.get(format_name.split(",", maxsplit=1)[0])
    if look is None:
        return None
    with path.open("rb") as file:
        return look(file, path.stat().st_size)


def _transport_stream(file: BinaryIO, n_bytes: int) -> str | None:
    head = file.read(_HEAD_BYTES)
    for size, lead in _TS_PACKETS:
        for offset in range(size):
            marks = head[offset + lead :: size][:_TS_MARKS_SEEN]
            if len(marks) == _TS_MARKS_SEEN and set(marks) == {_TS_MARK}:
                n_over = (n_bytes - offset) % size
                file.seek(n_bytes - n_over + lead)
                # What does not begin with the mark was appended by a recorder, and is no packet.
                is_packet = n_over > 0 and file.read(1) in (b"", bytes([_TS_MARK]))
                return f"its last packet has {n_over} of {size} bytes" if is_packet else None
    return None


def _mp4(file: BinaryIO, n_bytes: int) -> str | None:
    at = 0
    while len(header := file.read(16)) >= _MP4_HEADER:
        size = int.from_bytes(header[:4])
        size = int.from_bytes(header[8:]) if size == 1 else size  # 64 bits behind the name
        if size < _MP4_HEADER:
            return None  # it reaches to the end, or is no box
        if at + size > n_bytes:
            return f"its last box has {n_bytes - at} of {size} bytes" if header[4:8] in _MP4_BOXES else None
        at += size
        file.seek(at)
    return None


def _asf(file: BinaryIO, n_bytes: int) -> str | None:
    head = file.read(_HEAD_BYTES)
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) <= at + _ASF_FLAGS or head[at + _ASF_FLAGS] & 1:
        return None
    n_declared = int.from_bytes(head[at + _ASF_SIZE : at + _ASF_SIZE + 8], "little")
    return None if n_bytes >= n_declared else f"it has {n_bytes} of {n_declared} bytes"


def _matroska(file: BinaryIO, n_bytes: int) -> str | None:
    at = 0
    while (element := _element(file, at)) is not None:
        name, begin, size = element
        if name == _SEGMENT or (name == _CLUSTER and size is None):
            at = begin  # what it holds comes next
        elif size is None:
            return None
        elif begin + size > n_bytes:
            return f"its last cluster has {n_bytes - begin} of {size} bytes" if name in _OF_FRAMES else None
        else:
            at = begin + size
    return None


def _element(file: BinaryIO, at: int) -> tuple[bytes, int, int | None] | None:
    """Return name, first byte and size of the element at a position; the size is None where it is not known.

    Both numbers have as many bytes as their first byte has leading zeros, and one.
    """
    file.seek(at)
    head = file.read(12)
    n_name = 9 - head[0].bit_length() if head else 0
    n_size = 9 - head[n_name].bit_length() if 0 < n_name < len(head) else 0
    if not 1 <= n_size <= 8 or len(head) < n_name + n_size:  # noqa: PLR2004
        return None
    largest = (1 << 7 * n_size) - 1
    size = int.from_bytes(head[n_name : n_name + n_size]) & largest
    return head[:n_name], at + n_name + n_size, None if size == largest else size


def _ogg(file: BinaryIO, n_bytes: int) -> str | None:
    at = 0
    while (header := file.read(_OGG_HEADER))[:4] == b"OggS":
        n_segments = header[-1] if len(header) == _OGG_HEADER else 0
        end = at + _OGG_HEADER + n_segments + sum(file.read(n_segments))
        if end > n_bytes or len(header) < _OGG_HEADER:
            return f"its last page has {n_bytes - at} bytes, too few"
        at = end
        file.seek(at)
    return None


def _dv(_: BinaryIO, n_bytes: int) -> str | None:
    n_over = n_bytes % _DV_SEQUENCE
    return f"its last sequence has {n_over} of {_DV_SEQUENCE} bytes" if n_over else None


_LOOKS: dict[str, Callable[[BinaryIO, int], str | None]] = {
    "mpegts": _transport_stream,
    "mov": _mp4,
    "asf": _asf,
    "matroska": _matroska,
    "ogg": _ogg,
    "dv": _dv,
}
