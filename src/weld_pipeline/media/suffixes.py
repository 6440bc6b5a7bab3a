"""Suffixes of images and videos, one list for ingestion and inspection, and what the first bytes of other files tell."""

import re
from pathlib import Path, PurePath
from typing import Literal

Media = Literal["image", "video"]

IMAGE_SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".webp", ".pgm",
    ".ppm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".jpf", ".dcm", ".dicom", ".dic",
    # Of kinds that no reader here knows: refused by name, for most are not told by their first bytes.
    ".tga", ".pcx", ".ico", ".heic", ".heif", ".avif", ".jxl", ".psd", ".exr", ".hdr", ".pfm", ".pam", ".dng", ".cr2", ".cr3",
    ".nef", ".arw", ".raf", ".orf", ".rw2", ".fits",
)  # fmt: skip
# Of one recording in several files the first of these is taken.
VIDEO_SUFFIXES = (
    ".avi", ".mp4", ".mkv", ".mov", ".m4v", ".webm", ".wmv", ".mpg", ".mpeg", ".ts", ".mts", ".mjpeg", ".m2ts", ".m2t",
    ".asf", ".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".mjpg", ".vob", ".flv", ".f4v", ".3gp", ".3g2", ".mxf",
    ".m1v", ".m2v", ".mpv", ".ogv", ".ogm", ".divx", ".qt", ".dv", ".y4m", ".ivf", ".nut", ".rm", ".rmvb",
)  # fmt: skip

_N_HEAD_BYTES = 512  # a transport stream repeats its mark every 188 bytes
# Of kinds that no reader here knows, too: what is an image and is not judged must be named, not left out.
_IMAGE_MARKS = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
    b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51", b"8BPS", b"\x76\x2f\x31\x01",
    b"\0\0\0\x0cJXL \r\n\x87\n", b"II\xbc\x01",
)  # fmt: skip
_VIDEO_MARKS = (
    b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\x01\xba", b"\0\0\x01\xb3",
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01", b"YUV4MPEG2", b"DKIF", b".RMF",
    b"\0\0\0\x01\x67", b"\0\0\0\x01\x27", b"\0\0\0\x01\x09", b"\0\0\0\x01\x40", b"\0\0\0\x01\x46",
)  # fmt: skip
_IMAGE_BRANDS = (b"crx ", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"F4A ")


def media_of(path: PurePath | str) -> Media | None:
    """Return what a file's suffix, in small letters or capitals, says it is; None where it says neither.

    >>> media_of("shift 2/SEAM.M2TS"), media_of("seam.TIF"), media_of("notes.txt")
    ('video', 'image', None)
    """
    suffix = PurePath(path).suffix.lower()
    return "image" if suffix in IMAGE_SUFFIXES else "video" if suffix in VIDEO_SUFFIXES else None


def sniff_media(path: Path) -> Media | None:
    """Return what the first bytes of a file say it is, whatever its name; None where they say neither.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb") as file:
        return media_of_head(file.read(_N_HEAD_BYTES))


def media_of_head(head: bytes) -> Media | None:
    """Return what the first 512 bytes of a file say it is.

    >>> media_of_head(b"GIF89a"), media_of_head(b"RIFF....AVI LIST"), media_of_head(b"path,label")
    ('image', 'video', None)
    """
    if head.startswith(_IMAGE_MARKS) or head[128:132] == b"DICM" or _is_bmp(head) or _is_netpbm(head):
        return "image"
    if head[:4] == b"RIFF":
        return "image" if head[8:12] == b"WEBP" else "video" if head[8:12] in (b"AVI ", b"AVIX") else None
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "image" if brand in _IMAGE_BRANDS else None if brand in _AUDIO_BRANDS else "video"
    is_video = head.startswith(_VIDEO_MARKS) or head[4:8] in (b"moov", b"mdat") or _is_transport_stream(head)
    return "video" if is_video else None


def _is_bmp(head: bytes) -> bool:
    # Two letters alone would take a text for an image; the size of the header that follows is one of a few.
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)


def _is_netpbm(head: bytes) -> bool:
    return re.match(rb"P[1-7]\s+[\d#]", head) is not None


def _is_transport_stream(head: bytes) -> bool:
    """Return whether packets of 188 bytes, or of 192 with a time stamp before each (Blu-ray), begin with their mark."""
    return head[0:377:188] == b"GGG" or head[4:389:192] == b"GGG"
