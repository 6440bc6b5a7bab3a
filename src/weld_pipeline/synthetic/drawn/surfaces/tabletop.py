# ruff: noqa: PLR2004 - an image is made of numbers
"""Table tops under photographed plates, and a plate laid on one in perspective."""

from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8


@lru_cache(maxsize=3)
def table_top(width: int, height: int, kind: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return a table top: cardboard of two ages, or a wooden bench."""
    rng = np.random.default_rng(kind)
    colour = np.array(((186, 132, 92), (196, 160, 118), (190, 140, 84))[kind], np.float32)
    fibre = cv2.GaussianBlur(rng.normal(0, 60, (height, width)), (0, 0), 6, sigmaY=0.8 if kind == 2 else 2)
    stains = cv2.resize(rng.normal(0, 10, (5, 9)), (width, height), interpolation=cv2.INTER_CUBIC)
    light = 1 - 0.35 * np.hypot((np.arange(width) / width - 0.45), (np.arange(height) / height - 0.4)[:, None])
    if kind != 2:  # the flutes of cardboard
        stains = stains + 4 * np.sin(np.arange(height) * 2 * np.pi * 1000 / width / 9)[:, None]
    image = (colour + (fibre + stains)[..., None]) * light[..., None]
    top = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(3):
        a, b = rng.integers(0, width, 2), rng.integers(0, height, 2)
        cv2.line(
            top,
            (int(a[0]), int(b[0])),
            (int(a[0] + 0.2 * (a[1] - a[0])), int(b[1])),
            (92, 66, 48),
            max(1, width // 500),
            cv2.LINE_AA,
        )
    return top


def corners(
    centre: tuple[float, float], size: tuple[float, float], *, angle: float, nearer: float, squeezed: float
) -> Float[np.ndarray, "4 2"]:
    """Return where the corners of a plate lie in a photograph, from the upper left one on.

    Args:
        centre: Its middle [px].
        size: Width and height [px].
        angle: Turn on the table [rad].
        nearer: Share by which its lower edge, nearer to the camera, is larger and its upper edge smaller.
        squeezed: Height of a square seen at the slant of the camera.
    """
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (size[0] / 2, size[1] / 2)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    leaning = (square * (1 + nearer * np.array([-1, -1, 1, 1])[:, None])) @ turn * (1, squeezed)
    return (leaning + np.array(centre)).astype(np.float32)


def lay(photo: UInt8[np.ndarray, "H W 3"], plate: UInt8[np.ndarray, "h w 4"], at: Float[np.ndarray, "4 2"]) -> None:
    """Put the plate, whose fourth channel is its cover, on the photograph, with a soft shadow; in place."""
    low = np.maximum(np.floor(at.min(0)).astype(int) - 12, 0)
    high = np.minimum(np.ceil(at.max(0)).astype(int) + 24, (photo.shape[1], photo.shape[0]))
    h, w = plate.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, at - low.astype(np.float32))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    warped = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR)
    cover = warped[..., 3]
    shadow = cv2.blur(np.roll(cover, (10, 6), (0, 1)), (21, 21))
    region = photo[low[1] : high[1], low[0] : high[0]]
    shaded = cv2.multiply(region, cv2.merge([255 - shadow // 2] * 3), scale=1 / 255)
    np.copyto(region, np.where(cover[..., None] > 127, warped[..., :3], shaded))
