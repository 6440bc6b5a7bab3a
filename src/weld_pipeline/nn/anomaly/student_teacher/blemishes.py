"""Blemishes on good images, with the pixels they changed, to test whether a detector notices anything at all."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

_MIN_CHANGE = 16  # of a pixel value; what changes less is no blemish
_MIN_AREA = 5e-4  # share of the image that must change
_TRIES = 20


def blemished(
    image: UInt8[np.ndarray, "S S C"], generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "S S C"], Bool[np.ndarray, "S S"]]:
    """Return the image with a painted or pasted blemish, and which pixels changed visibly.

    A pasted piece of a plain surface may change nothing; then another blemish is tried. Where none shows, half the image
    is turned into its negative.
    """
    for _ in range(_TRIES):
        change = (_pasted, _painted)[generator.integers(2)]
        changed = change(image, generator)
        mask = _difference(image, changed) >= _MIN_CHANGE
        if mask.mean() >= _MIN_AREA:
            return changed, mask
    changed = 255 - image
    px = len(image)
    changed[:, : px // 2] = image[:, : px // 2]
    return changed, _difference(image, changed) >= _MIN_CHANGE


def _difference(one: UInt8[np.ndarray, "S S C"], other: UInt8[np.ndarray, "S S C"]) -> np.ndarray:
    return np.abs(one.astype(np.int16) - other).max(axis=2)


def _pasted(image: UInt8[np.ndarray, "S S C"], generator: np.random.Generator) -> UInt8[np.ndarray, "S S C"]:
    """Return the image with a rotated piece of itself at another place (as in CutPaste, Li et al. 2021, §2.1)."""
    px = len(image)
    side = round(px * generator.uniform(0.06, 0.16))
    (top, left), (to_top, to_left) = generator.integers(0, px - side, (2, 2))
    piece = np.rot90(image[top : top + side, left : left + side], int(generator.integers(1, 4)))
    changed = image.copy()
    changed[to_top : to_top + side, to_left : to_left + side] = piece
    return changed


def _painted(image: UInt8[np.ndarray, "S S C"], generator: np.random.Generator) -> UInt8[np.ndarray, "S S C"]:
    """Return the image with an ellipse, from a pore to a scratch, brighter or darker than what it covers."""
    px = len(image)
    axes = np.maximum(1, px * generator.uniform(0.01, 0.08, 2)).astype(int).tolist()
    canvas = np.zeros((px, px), np.float32)
    centre = generator.integers(px // 10, px - px // 10, 2).tolist()
    cv2.ellipse(canvas, centre, axes, generator.uniform(0, 180), 0, 360, 1.0, thickness=-1)
    cover = cv2.GaussianBlur(canvas, (3, 3), 0)[..., None]
    # Paint is dark on bright and bright on dark, or paint on white would not show.
    paint = 0.0 if image[canvas > 0].mean() > 128 else 255.0  # noqa: PLR2004 - the middle of a byte
    strength = generator.uniform(0.4, 0.9)
    return (image + cover * strength * (paint - image)).astype(np.uint8)
