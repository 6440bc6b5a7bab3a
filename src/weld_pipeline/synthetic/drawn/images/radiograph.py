# ruff: noqa: PLR2004 - an image is made of numbers
"""Radiographs: patches of weld films as scanned, darker where more of the rays pass."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from weld_pipeline.synthetic.drawn.encoding import as_png
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.surfaces.relief import Field, clouds

# Code in the file names of the data set → class.
CODES = {"cr": "crack", "lp": "lack_of_penetration", "nd": "no_defect", "po": "porosity"}


@dataclass(frozen=True)
class Film:
    """Look that all patches of a film share.

    Attributes:
        noise: Standard deviation of its grain [pixel values].
        grain_px: Size of the grain.
        contrast: Darkening by a defect of full depth [pixel values].
        gamma: Steepness of the scan; some films come out almost in black and white.
    """

    mean: float
    noise: float
    grain_px: float
    contrast: float
    gamma: float


def draw_radiograph(image: DrawnImage) -> bytes:
    """Return one square patch as 8-bit grey PNG."""
    film = _film(image.session_rng("film"))
    rng, side = image.rng("patch"), image.width
    depth = _DEFECTS[image.label](side, rng)
    grain = clouds((side, side), size=(film.grain_px, film.grain_px), rng=rng)
    # The weld is thicker in the middle, and the rays come from one point.
    across = np.linspace(-1, 1, side, dtype=np.float32)
    slope = (
        rng.normal(0, 9) * across[:, None] + rng.normal(0, 9) * across - abs(rng.normal(0, 8)) * across[:, None] ** 2
    )
    exposed = film.mean + slope - film.contrast * depth + film.noise * grain
    steep = 128 + (exposed - 128) * film.gamma
    return as_png(np.clip(steep, 0, 255).astype(np.uint8))


def _film(rng: np.random.Generator) -> Film:
    return Film(
        mean=float(rng.uniform(95, 200)),
        noise=float(rng.uniform(2, 18)),
        grain_px=float(rng.uniform(1, 2.6)),
        contrast=float(rng.uniform(45, 110)),
        gamma=float(rng.choice((1.0, 1.0, 1.3, 2.0))),
    )


def _crack(side: int, rng: np.random.Generator) -> Field:
    """A crack: one or two thin dark lines that wander and change their width."""
    depth = np.zeros((side, side), np.float32)
    is_upright = rng.random() < 0.5
    for _ in range(int(rng.integers(1, 3))):
        along = np.linspace(rng.uniform(-0.3, 0.2), rng.uniform(0.75, 1.3), 24) * side
        across = side * rng.uniform(0.2, 0.8) + np.cumsum(rng.normal(0, 0.018 * side, 24))
        points = np.column_stack((across, along) if is_upright else (along, across))
        for start, stop in pairwise(np.round(points * 16).astype(int).tolist()):
            cv2.line(
                depth, start, stop, float(rng.uniform(0.5, 1)), int(rng.integers(1, max(2, side // 60))), cv2.LINE_AA, 4
            )
    return cv2.GaussianBlur(depth, (0, 0), side / 227 * float(rng.uniform(0.8, 2.2)))


def _lack_of_penetration(side: int, rng: np.random.Generator) -> Field:
    """The joint was not melted through: a straight band along the weld with fuzzy edges, dark as the gap is wide."""
    y = np.arange(side, dtype=np.float32)[:, None] / side
    x = np.arange(side, dtype=np.float32)[None] / side
    off = np.abs(y - rng.uniform(0.25, 0.8) - rng.normal(0, 0.02) * x)
    band = np.clip((rng.uniform(0.02, 0.13) - off) / rng.uniform(0.01, 0.04) + 0.5, 0, 1)
    reach = np.clip((x - rng.uniform(-1.0, 0.2)) / 0.1, 0, 1)
    return (band * reach * rng.uniform(0.35, 1)).astype(np.float32)


def _porosity(side: int, rng: np.random.Generator) -> Field:
    """Gas pores: round or drawn-out shadows, darkest in their middle."""
    depth = np.zeros((side, side), np.float32)
    y = np.arange(side, dtype=np.float32)[:, None]
    x = np.arange(side, dtype=np.float32)[None]
    for _ in range(int(rng.integers(1, 4))):
        radius = side * rng.uniform(0.05, 0.17)
        angle, drawn_out = rng.uniform(0, np.pi), rng.uniform(1, 1.7)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        dx, dy = x - side * rng.uniform(0.1, 0.9), y - side * rng.uniform(0.1, 0.9)
        far = np.hypot((dx * cos + dy * sin) / (radius * drawn_out), (dy * cos - dx * sin) / radius)
        ball = np.sqrt(np.clip(1 - far**2, 0, 1))  # the way of the rays through a ball
        depth = np.maximum(depth, (ball * rng.uniform(0.5, 1)).astype(np.float32))
    return cv2.GaussianBlur(depth, (0, 0), side / 227 * float(rng.uniform(1, 3)))


def _no_defect(side: int, rng: np.random.Generator) -> Field:  # noqa: ARG001 - as its siblings
    return np.zeros((side, side), np.float32)


_DEFECTS: dict[str, Callable[[int, np.random.Generator], Field]] = {
    "cr": _crack,
    "lp": _lack_of_penetration,
    "nd": _no_defect,
    "po": _porosity,
}
