"""Image files written by hand, so that every tag is as wanted."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 12, 6
# A ramp with a dark stripe, 0 to 1, as it must be seen.
RAMP = np.tile(np.linspace(0.15, 0.85, WIDTH), (HEIGHT, 1))
RAMP[2:4, 3:9] = 0.08
SEEN = np.round(RAMP * 255).astype(int)


def scaled(white):
    """Return the ramp in samples whose white is this."""
    return np.round(RAMP * white).astype(np.uint16)


def encoded(image, form, **options):
    """Return an image as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def tiff(*pages, order="<"):
    """Return a TIFF of one strip a page; each page is (bytes of pixels, height, width, tags)."""
    blob, before = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 0)), 4
    for data, height, width, tags in pages:
        at = len(blob)
        blob += data + bytes(len(data) % 2)
        usual = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: at, 277: 1, 278: height, 279: len(data)}
        entries = usual | tags
        struct.pack_into(f"{order}I", blob, before, len(blob))
        blob += struct.pack(f"{order}H", len(entries))
        for tag in sorted(entries):
            blob += struct.pack(f"{order}HHII", tag, 4, 1, entries[tag])
        before = len(blob)
        blob += bytes(4)
    return bytes(blob)


def page(values, **tags):
    """Return a page of grey samples as they lie in memory; tags as `tag_262=0`."""
    return values.tobytes(), *values.shape[:2], {int(name[4:]): value for name, value in tags.items()}


def packed(values, bits):
    """Return samples bit behind bit, highest first, each line filled up to whole bytes."""
    lines = ["".join(f"{value:0{bits}b}" for value in line) for line in values.tolist()]
    return b"".join(bytes(int(line[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(line), 8)) for line in lines)


def png16(values, *, colour_type, sbit=None):
    """Return a PNG of 16-bit samples, with the chunk sBIT if it is given."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = values.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    said = b"" if sbit is None else chunk(b"sBIT", sbit)
    return b"\x89PNG\r\n\x1a\n" + head + said + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def colours(height=30, width=40, seed=0):
    """Return an image of random colours."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
