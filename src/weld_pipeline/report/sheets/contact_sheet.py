"""Contact sheets: many recordings at a glance, what is quarantined in red."""

import base64
import io
import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

_INK, _PAPER, _EMPTY, _RED, _MUTED = "#1b2430", "#ffffff", "#d6dbe1", "#c2453a", "#66717f"
_GAP_PX, _FRAME_PX, _FONT_PX, _LINE_PX = 10, 4, 12, 15
_CAPTION_LINES = 3
_ASPECT = 0.625  # of the Intel recordings, 960×600


@dataclass(frozen=True)
class Tile:
    """One image of a sheet.

    Attributes:
        key: What it shows, e.g. the sample id.
        title: First line of the caption.
        text: What else the caption says; wrapped, and cut where it does not fit.
        group: Tiles are picked evenly over groups, e.g. the class.
        is_flagged: Whether it is framed in red.
        thumbnail: Base64 JPEG, or None for an empty tile.
    """

    key: str
    title: str
    text: str
    group: str
    is_flagged: bool = False
    thumbnail: str | None = None

    def with_thumbnail(self, thumbnail: str | None) -> "Tile":
        """Return the tile with an image."""
        return replace(self, thumbnail=thumbnail)


def pick_evenly(tiles: Sequence[Tile], n: int) -> list[Tile]:
    """Return at most `n` tiles: one of each group in turn, evenly spread within a group, in the order given."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for position, tile in enumerate(tiles):
        groups[tile.group].append(position)
    quota = dict.fromkeys(groups, 0)
    waiting = deque(groups)
    for _ in range(min(n, len(tiles))):
        while quota[waiting[0]] == len(groups[waiting[0]]):
            waiting.popleft()
        quota[waiting[0]] += 1
        waiting.rotate(-1)
    picked = [
        members[int(place)]
        for group, members in groups.items()
        for place in np.linspace(0, len(members) - 1, quota[group]).round()
    ]
    return [tiles[position] for position in sorted(picked)]


def draw_sheet(
    tiles: Sequence[Tile],
    *,
    heading: str,
    n_columns: int,
    tile_px: int,
    aspect: float = _ASPECT,
    legend: UInt8[np.ndarray, "h w 3"] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the sheet: a heading, perhaps a legend, then the tiles row by row with their captions.

    Args:
        heading: Text above, one line.
        aspect: Height of a tile over its width.
    """
    image_px = round(tile_px * aspect)
    cell = (tile_px + _GAP_PX, image_px + _CAPTION_LINES * _LINE_PX + _GAP_PX)
    n_rows = math.ceil(len(tiles) / n_columns)
    below_heading = _LINE_PX + 2 * _GAP_PX
    top = below_heading + (0 if legend is None else len(legend) + _GAP_PX)
    sheet = Image.new("RGB", (n_columns * cell[0] + _GAP_PX, top + n_rows * cell[1] + _GAP_PX), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP_PX, _GAP_PX), heading, _INK, font=ImageFont.load_default(_FONT_PX + 2))
    if legend is not None:
        sheet.paste(Image.fromarray(legend), (_GAP_PX, below_heading))
    for position, tile in enumerate(tiles):
        row, column = divmod(position, n_columns)
        _draw_tile(sheet, tile, (_GAP_PX + column * cell[0], top + row * cell[1]), (tile_px, image_px))
    return np.array(sheet)


def _draw_tile(sheet: Image.Image, tile: Tile, at: tuple[int, int], size: tuple[int, int]) -> None:
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_PX)
    left, top = at
    box = (left, top, left + size[0] - 1, top + size[1] - 1)
    pen.rectangle(box, _EMPTY)
    if tile.thumbnail is None:
        pen.text((left + size[0] / 2, top + size[1] / 2), "no image", _MUTED, font=font, anchor="mm")
    else:
        image = Image.open(io.BytesIO(base64.b64decode(tile.thumbnail)))
        image.thumbnail(size)
        sheet.paste(image, (left + (size[0] - image.width) // 2, top + (size[1] - image.height) // 2))
    if tile.is_flagged:
        pen.rectangle(box, outline=_RED, width=_FRAME_PX)
    lines = [_shorten(tile.title, font, size[0]), *_wrap(tile.text, font, size[0], _CAPTION_LINES - 1)]
    for number, line in enumerate(lines):
        colour = _RED if tile.is_flagged and number else _INK
        pen.text((left, top + size[1] + 2 + number * _LINE_PX), line, colour, font=font)


def _wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: int, n_lines: int) -> list[str]:
    """Return the text in at most `n_lines` lines, the last one shortened if needed."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < n_lines - 1:
        n_fit = 1
        while n_fit < len(words) and font.getlength(" ".join(words[: n_fit + 1])) <= width_px:
            n_fit += 1
        lines.append(_shorten(" ".join(words[:n_fit]), font, width_px))
        words = words[n_fit:]
    return [*lines, _shorten(" ".join(words), font, width_px)] if words else lines


def _shorten(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: int) -> str:
    """Return the text, cut at its end so that it fits."""
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(text + "…") > width_px:
        text = text[:-1]
    return text + "…"
