# ruff: noqa: PLR2004 - an image is made of numbers
"""Flaws of a butt weld seen from above: they change heights and colours of the surface and nothing else.

The reference numbers are those of ISO 6520-1. Each flaw has a range of sizes and strengths: some show at a glance, some
only on a close look.
"""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float

from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE, Bead
from weld_pipeline.synthetic.drawn.surfaces.relief import Field
from weld_pipeline.synthetic.drawn.surfaces.steel_plate import Steel, bump

# Greatest distance of a flaw from the middle of the plate, so that no jitter of the camera loses it [units].
_REACH = 68.0
# Lines are drawn this many times finer than the image, a side.
_FINE = 4


def _porosity(steel: Steel, bead: Bead, rng: np.random.Generator) -> None:
    """Clustered porosity that has reached the surface (2013, 2017): dark pits, each with a rim of metal pushed up."""
    n, middle, std = int(rng.integers(5, 22)), _along(rng), rng.uniform(8, 24)
    x = np.clip(rng.normal(middle, std, n), *_ends())
    y = _on_bead(bead, x, np.clip(rng.normal(0, 0.4, n), -0.8, 0.8))
    radius = rng.uniform(1.3, 1.9) * rng.uniform(0.8, 2.0, n)
    depth, tone = -rng.uniform(0.7, 1.3), rng.uniform(0.15, 0.5)
    for spot in np.column_stack((x, y, radius)).tolist():
        bump(steel, (spot[0], spot[1], 1.5 * spot[2]), rise=0.35, tone=1.12)
        bump(steel, (spot[0], spot[1], spot[2]), rise=depth, tone=tone)


def _crack(steel: Steel, bead: Bead, rng: np.random.Generator) -> None:
    """Crack in the weld metal, along the bead (1011) or across it (1021): a thin dark line that jumps from side to side."""
    is_across, middle = rng.random() < 0.3, _along(rng)
    half_length = rng.uniform(0.9, 1.3) * _half(bead, middle) if is_across else rng.uniform(14, 60)
    run = np.arange(-half_length, half_length, 2.5)
    jumps = np.cumsum(rng.normal(0, 0.9, len(run)))
    aside = jumps - np.linspace(jumps[0], jumps[-1], len(run)) + rng.normal(0, 0.45, len(run))
    if is_across:
        points = np.column_stack((middle + aside, _across(bead, middle, 0.0) + run))
    else:
        first, last = _ends()
        x = run + np.clip(middle, first + half_length, last - half_length)
        points = np.column_stack((x, _on_bead(bead, x, rng.uniform(-0.35, 0.35)) + aside))
    line = _line(steel, points, width=rng.uniform(0.8, 1.7))
    steel.height -= np.float32(rng.uniform(0.8, 2.0)) * line
    _shade(steel, 1 - rng.uniform(0.65, 0.95) * line)


def _void(steel: Steel, bead: Bead, rng: np.random.Generator) -> None:
    """One large cavity open to the surface (201, of the group of cavities): a hole with a ragged rim, black at its bottom."""
    middle = _along(rng)
    far, angle = _polar(steel, middle, _across(bead, middle, rng.uniform(-0.4, 0.4)))
    radius, drawn_out = rng.uniform(4.5, 0.45 * _half(bead, middle)), rng.uniform(1.0, 1.5)
    ragged = np.log(drawn_out) * np.cos(2 * angle)
    for n in (2, 3, 4, 5, 7, 9):  # bulges around the rim, the more of them the flatter
        ragged += rng.normal(0, 0.3 / n) * np.cos(n * angle + rng.uniform(0, 2 * np.pi))
    share = far / (radius * np.exp(0.5 * ragged)).astype(np.float32)
    hole = np.clip((1 - share) / 0.3, 0, 1)
    lip = np.exp(-(((share - 1.08) / 0.12) ** 2))
    steel.height += np.float32(0.14 * radius) * lip - np.float32(rng.uniform(0.6, 1.0) * radius) * hole
    steel.gloss *= 1 - hole
    _shade(steel, 1 - rng.uniform(0.7, 0.93) * hole)


def _scratch(steel: Steel, bead: Bead, rng: np.random.Generator) -> None:
    """Mark of a tool (605 is the nearest number): one straight bright line over plate or bead, thin at its ends."""
    x = _along(rng)
    start = np.array([x, _across(bead, x, rng.choice((-1, 1)) * rng.uniform(0.2, 2.4))])
    angle, half_length = rng.uniform(-np.pi / 2, np.pi / 2), rng.uniform(16, 52)
    course = np.array((np.cos(angle), np.sin(angle))) * np.linspace(-half_length, half_length, 24)[:, None]
    line = _line(steel, start + course, width=rng.uniform(0.8, 1.6))
    steel.height -= np.float32(rng.uniform(0.3, 0.9)) * line
    steel.gloss += line * (1.0 - steel.gloss)
    steel.colour += np.float32(rng.uniform(70, 140)) * line[..., None]


def _undercut(steel: Steel, bead: Bead, rng: np.random.Generator) -> None:
    """Undercut (5011, 5012): a groove melted into the plate along one toe and not filled, deeper here than there."""
    side, middle, half_length = rng.choice((-1.0, 1.0)), _along(rng), rng.uniform(14, 60)
    x = steel.column.astype(np.float32)
    along = np.clip((half_length - np.abs(x - middle)) / 8 + 0.5, 0, 1)
    depth, wander = (_scallops(x, bead.pitch, rng) for _ in range(2))
    off = (steel.v * side - 1) * np.maximum(bead.half[steel.column], 1)  # units outside the toe
    groove = np.exp(-(((off - 1.3 - 0.7 * wander) / rng.uniform(1.2, 2.2)) ** 2)) * along * (0.7 + 0.3 * depth)
    steel.height -= (rng.uniform(0.6, 1.8) * groove).astype(np.float32)
    _shade(steel, 1 - rng.uniform(0.55, 0.95) * groove)


def _scallops(x: Float[np.ndarray, " W"], pitch: float, rng: np.random.Generator) -> Float[np.ndarray, " W"]:
    """Return a wave along the bead in -1..1 with a period of one to two ripples, as the arc swings."""
    waves = [np.sin(2 * np.pi * (x / (pitch * rng.uniform(0.7, 2.2)) + rng.uniform())) for _ in range(3)]
    return np.mean(waves, axis=0)


def _shade(steel: Steel, factor: Field) -> None:
    steel.colour *= factor[..., None].astype(np.float32)


def _ends() -> tuple[float, float]:
    return PLATE[0] / 2 - _REACH, PLATE[0] / 2 + _REACH


def _along(rng: np.random.Generator) -> float:
    """Return a place along the bead that no jitter of the camera moves out of the image [units]."""
    return float(rng.uniform(*_ends()))


def _half(bead: Bead, x: float) -> float:
    return float(bead.half[round(x)])


def _on_bead(bead: Bead, x: Float[np.ndarray, " N"], share: Float[np.ndarray, " N"] | float) -> Float[np.ndarray, " N"]:
    """Return places across the bead [units]: 0 its middle, ±1 its toes."""
    column = np.round(x).astype(int)
    return bead.centre[column] + share * bead.half[column]


def _across(bead: Bead, x: float, share: float) -> float:
    return float(_on_bead(bead, np.array([x]), share)[0])


def _polar(steel: Steel, x: float, y: float) -> tuple[Field, Field]:
    """Return distance [units] and direction [rad] of each pixel from a place on the plate."""
    x, y = steel.to_px(np.array([[x, y]]))[0]
    h, w = steel.height.shape
    across, down = np.arange(w, dtype=np.float32) - np.float32(x), np.arange(h, dtype=np.float32) - np.float32(y)
    return np.hypot(across, down[:, None]) / np.float32(steel.scale), np.arctan2(down[:, None], across)


def _line(steel: Steel, points: Float[np.ndarray, "N 2"], *, width: float) -> Field:
    """Return how much of each pixel a line covers, 0..1; it tapers towards both ends.

    Args:
        points: Its course [units].
        width: Its greatest width [units].
    """
    h, w = steel.height.shape
    fine = np.zeros((_FINE * h, _FINE * w), np.float32)  # a line is often thinner than a pixel
    at = np.linspace(0, 1, len(points) - 1)
    thickness = _FINE * steel.scale * width * np.clip(3.5 * np.minimum(at, 1 - at), 0.3, 1)
    corners = np.round(_FINE * steel.to_px(points)).astype(int).tolist()
    for (start, stop), thick in zip(pairwise(corners), thickness.tolist(), strict=True):
        cv2.line(fine, start, stop, 1.0, max(1, round(thick)))
    return np.asarray(cv2.resize(fine, (w, h), interpolation=cv2.INTER_AREA), np.float32)


FLAWS: dict[str, Callable[[Steel, Bead, np.random.Generator], None]] = {
    "porosity": _porosity,
    "crack": _crack,
    "void": _void,
    "scratch": _scratch,
    "undercut": _undercut,
}
