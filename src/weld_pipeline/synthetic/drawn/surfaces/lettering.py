# ruff: noqa: PLR2004 - an image is made of numbers
"""Lettering on plates: paper labels, printed or by hand, and a paint marker."""

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

# Room left around a label, so that it may lie askew [px].
LABEL_MARGIN = 12


def paper_label(text: str, rng: np.random.Generator, *, is_handwritten: bool) -> UInt8[np.ndarray, "h w 3"]:
    """Return a paper label that bears `text`, printed or written by hand."""
    if is_handwritten:
        return _handwritten(text, rng)
    image = Image.new("RGB", (310, 84), (238, 239, 240))
    font = ImageFont.load_default(size=34)
    left, top, right, bottom = font.getbbox(text)
    place = ((310 - right - left) / 2, (84 - bottom - top) / 2)
    ImageDraw.Draw(image).text(place, text, font=font, fill=(28, 28, 32))
    return np.asarray(image)


def _handwritten(text: str, rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """Return a label on which every sign is written by itself, in blue ink, none quite like the last."""
    paper = np.full((84, 330, 3), (236, 238, 240), np.uint8)
    x, y = 12.0, 54.0
    for sign in text:
        scale = 1.0 + rng.normal(0, 0.06)
        font = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX if rng.random() < 0.4 else cv2.FONT_HERSHEY_SIMPLEX
        y += rng.normal(0, 1.5)
        cv2.putText(paper, sign, (round(x), round(y)), font, scale, (26, 32, 148), 3, cv2.LINE_AA)
        x += cv2.getTextSize(sign, cv2.FONT_HERSHEY_SIMPLEX, scale, 3)[0][0] * (0.92 if sign != "-" else 0.7)
    slant = np.array([(1, -0.12, 5), (rng.normal(0, 0.015), 1, 0)], np.float32)
    return cv2.warpAffine(paper, slant, (330, 84), borderMode=cv2.BORDER_REPLICATE)


def stick(
    image: UInt8[np.ndarray, "h w c"],
    paper: UInt8[np.ndarray, "a b 3"],
    place: tuple[int, int],
    rng: np.random.Generator,
) -> None:
    """Stick the label on the plate, a little askew, in place."""
    h, w = paper.shape[:2]
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), float(rng.normal(0, 2.5)), 1.0)
    turn[:, 2] += LABEL_MARGIN
    size = (w + 2 * LABEL_MARGIN, h + 2 * LABEL_MARGIN)
    cover = cv2.warpAffine(np.full((h, w), 255, np.uint8), turn, size)
    stuck = cv2.warpAffine(paper, turn, size, borderMode=cv2.BORDER_REPLICATE)
    region = image[place[1] : place[1] + size[1], place[0] : place[0] + size[0], :3]
    np.copyto(region, stuck, where=(cover > 127)[..., None])


def mark(
    plate: UInt8[np.ndarray, "h w c"], text: str, place: tuple[int, int], size: float, rng: np.random.Generator
) -> None:
    """Write on the steel itself with a paint marker, in place, the baseline starting at `place`."""
    ink = ((236, 236, 230), (24, 24, 26), (222, 196, 60))[int(rng.integers(3))]
    x, y = float(place[0]), float(place[1])
    for sign in text:
        grown = size * rng.uniform(0.9, 1.1)
        at = (round(x), round(y + rng.normal(0, 4 * size)))
        font, thickness = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, max(1, round(2.6 * size))
        cv2.putText(plate, sign, at, font, grown, (*ink, 255), thickness, cv2.LINE_AA)
        x += cv2.getTextSize(sign, cv2.FONT_HERSHEY_SIMPLEX, grown, 1)[0][0] * 0.95
