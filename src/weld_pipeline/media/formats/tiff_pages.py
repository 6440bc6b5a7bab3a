"""TIFF pages: the directories of a TIFF file, and the one page that is its image."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from weld_pipeline.media.image_errors import several_images

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# TIFF 6.0, section 2, and BigTIFF: struct letters of the numeric types but fractions.
_LETTERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
TIFF_WIDTH, TIFF_HEIGHT, _SUB_DIRECTORIES = 256, 257, 330
# NewSubfileType: a smaller copy, a mask, a depth map. SubfileType, its forerunner: 2 is a smaller copy.
_NEW_SUBFILE, _MASKS, _ASIDE = 254, 4 | 8, 1 | 4 | 8
_OLD_SUBFILE, _OLD_ASIDE = 255, 2
# A small file may name the same tags a million times over.
_MAX_PAGES, _MAX_TAGS = 4096, 512
# What tells pages apart; all else is read of the one page that counts, lists of strips above all.
_LISTED = frozenset((TIFF_WIDTH, TIFF_HEIGHT, _SUB_DIRECTORIES, _NEW_SUBFILE, _OLD_SUBFILE))


@dataclass(frozen=True)
class TiffPage:
    """One directory of a TIFF file.

    Attributes:
        offset: Where it lies in the file.
        tags: Its numbers by tag; text and fractions are left out.
    """

    offset: int
    tags: Mapping[int, tuple[int, ...]]

    def number(self, tag: int, default: int) -> int:
        """Return the first number of a tag."""
        return (self.tags.get(tag) or (default,))[0]

    @property
    def width(self) -> int:
        """Width as stored [px]."""
        return self.number(TIFF_WIDTH, 0)

    @property
    def height(self) -> int:
        """Height as stored [px]."""
        return self.number(TIFF_HEIGHT, 0)

    @property
    def is_aside(self) -> bool:
        """Whether it calls itself a smaller copy of another page, or a mask of one."""
        new, old = self.number(_NEW_SUBFILE, 0), self.number(_OLD_SUBFILE, 0)
        return bool(new & _ASIDE) or old == _OLD_ASIDE

    def describe(self) -> str:
        """Return its kind in words, for errors."""
        bits = "+".join(map(str, self.tags.get(258, (1,))))
        kind = f"photometric interpretation {self.number(262, 0)}, compression {self.number(259, 1)}"
        return f"{self.number(277, 1)} sample(s) of {bits} bits, {kind}"

    @property
    def is_mask(self) -> bool:
        """Whether it calls itself a mask or a depth map."""
        return bool(self.number(_NEW_SUBFILE, 0) & _MASKS)


def image_page(content: bytes, name: str) -> TiffPage:
    """Return the page that is the image of a TIFF file; smaller copies and masks, which call themselves so, are not.

    Raises:
        ImageError: If several pages are images, or the one that is left is smaller than a copy of it.
        struct.error: If the file ends within a directory.
    """
    pages = _pages(content)
    if len(pages) == 1:
        return _page(content, pages[0].offset)[0]
    images = [page for page in pages if not page.is_aside]
    copies = [page for page in pages if page.is_aside and not page.is_mask]
    if len(images) != 1 or any(page.width * page.height > images[0].width * images[0].height for page in copies):
        raise several_images(name, len(images) if len(images) > 1 else len(pages), "pages")
    return _page(content, images[0].offset)[0]


def with_page_first(content: bytes, page: TiffPage) -> bytes:
    """Return the file with another page as its first."""
    order, is_big = _kind(content)
    if is_big and order == ">":  # of which Pillow knows the mark and not the header
        return with_tags(content, {tag: values for tag, values in page.tags.items() if _are_counts(values)})
    at, letter = (8, "Q") if is_big else (4, "I")
    offset = struct.pack(order + letter, page.offset)
    return content if content[at : at + len(offset)] == offset else content[:at] + offset + content[at + len(offset) :]


def with_tags(content: bytes, tags: Mapping[int, tuple[int, ...]]) -> bytes:
    """Return the file with a new directory behind it as its only page: the same data, described otherwise.

    Args:
        content: No longer than offsets of 32 bits reach.
        tags: Numbers of 32 bits.
    """
    order, _ = _kind(content)
    padded = content + bytes(len(content) % 2)
    beside = len(padded) + 2 + 12 * len(tags) + 4
    entries, arrays = b"", b""
    for tag in sorted(tags):
        n = len(tags[tag])
        where = tags[tag][0] if n == 1 else beside + len(arrays)
        arrays += struct.pack(f"{order}{n}I", *tags[tag]) if n > 1 else b""
        entries += struct.pack(f"{order}HHII", tag, 4, n, where)
    header = struct.pack(f"{order}2sHI", content[:2], 42, len(padded))
    return header + padded[8:] + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + arrays


def _are_counts(values: tuple[int, ...]) -> bool:
    return bool(values) and all(isinstance(value, int) and 0 <= value < 1 << 32 for value in values)


def _kind(content: bytes) -> tuple[Literal["<", ">"], bool]:
    """Return byte order, and whether offsets have 64 bits."""
    return ("<" if content[:2] == b"II" else ">"), b"+" in content[2:4]


def _pages(content: bytes) -> list[TiffPage]:
    """Return every page in order, pages below pages included."""
    order, is_big = _kind(content)
    start = struct.unpack_from(order + ("Q" if is_big else "I"), content, 8 if is_big else 4)[0]
    pages: list[TiffPage] = []
    left, seen = [start], {0}
    while left and len(pages) < _MAX_PAGES:
        offset = left.pop()
        if offset in seen:
            continue
        seen.add(offset)
        page, following = _page(content, offset, only=_LISTED)
        pages.append(page)
        left += [following, *reversed(page.tags.get(_SUB_DIRECTORIES, ()))]
    return pages


def _page(content: bytes, offset: int, *, only: frozenset[int] | None = None) -> tuple[TiffPage, int]:
    """Return the page at an offset, with some of its tags or all, and the offset of the next page; 0 is none."""
    order, is_big = _kind(content)
    count, letter = ("Q", "Q") if is_big else ("H", "I")
    entry = struct.Struct(f"{order}HH{letter}")
    n_tags = struct.unpack_from(order + count, content, offset)[0]
    if n_tags > _MAX_TAGS:
        raise struct.error(f"a directory of {n_tags} tags")
    at, tags = offset + struct.calcsize(order + count), {}
    room = struct.calcsize(order + letter)  # of values that lie in the entry itself
    for _ in range(n_tags):
        tag, kind, n = entry.unpack_from(content, at)
        if kind in _LETTERS and (only is None or tag in only):
            size = n * struct.calcsize(order + _LETTERS[kind])
            where = at + entry.size
            if size > room:
                where = struct.unpack_from(order + letter, content, where)[0]
            if where + size > len(content):
                raise struct.error(f"tag {tag} lies beyond the end of the file")
            tags[tag] = struct.unpack_from(f"{order}{n}{_LETTERS[kind]}", content, where)
        at += entry.size + room
    return TiffPage(offset, tags), struct.unpack_from(order + letter, content, at)[0]
