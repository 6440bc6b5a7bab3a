"""Cut-off files: what is missing at the end by a container's own sizes, where it tells no length in time."""

from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 64 * 1024

_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_MP4_BOXES = (b"moov", b"moof", b"mdat")

# Size of a packet of a transport stream, and what lies before its mark: plain, with a time stamp before it (Blu-ray), with
# error correction behind it.
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))
_TS_MARK = 0x47
_TS_MARKS_SEEN = 5

_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
# In that object the size of the file stands at byte 40, flags at 88; the lowest says that it is a broadcast of unknown size.
_ASF_SIZE, _ASF_FLAGS = 40, 88


def missing_bytes(path: Path, format_name: str) -> str | None:
    """Return in words what is cut off the end of a file, or None.

    Args:
        format_name: FFmpeg's name of the container; others than transport streams, ASF, MP4 and kin tell nothing here.
    """
    if format_name not in ("mpegts", "asf", _MP4):
        return None
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        if format_name == _MP4:
            return _part_of_box(file, n_bytes)
        head = file.read(_HEAD_BYTES)
        return _part_of_packet(file, head, n_bytes) if format_name == "mpegts" else _lacking_of_asf(head, n_bytes)


def _part_of_box(file: BinaryIO, n_bytes: int) -> str | None:
    at = 0
    while len(header := file.read(16)) >= 8:  # noqa: PLR2004 - size and name
        size = int.from_bytes(header[:4])
        size = int.from_bytes(header[8:]) if size == 1 else size  # 64 bits behind the name
        if size < 8 or (at + size > n_bytes and header[4:8] not in _MP4_BOXES):  # noqa: PLR2004
            return None  # it reaches to the end, or is no box
        if at + size > n_bytes:
            return f"its box {header[4:8].decode()} has {n_bytes - at} of {size} bytes"
        at += size
        file.seek(at)
    return None


def _part_of_packet(file: BinaryIO, head: bytes, n_bytes: int) -> str | None:
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


def _lacking_of_asf(head: bytes, n_bytes: int) -> str | None:
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) <= at + _ASF_FLAGS or head[at + _ASF_FLAGS] & 1:
        return None
    n_declared = int.from_bytes(head[at + _ASF_SIZE : at + _ASF_SIZE + 8], "little")
    return None if n_bytes >= n_declared else f"it has {n_bytes} of {n_declared} bytes"
