# ruff: noqa: PLR2004 - an image is made of numbers
"""Bead on a plate: its course, its ripples, its flaws."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

# Size of a plate; a bead runs along the longer side. One unit is about a third of a millimetre.
PLATE = (600, 400)
FAULTS = ("porosity", "undercut", "spatter", "irregular", "crater", "crack")

Spots = Float[np.ndarray, "_ 3"]
Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Bead:
    """A bead and its flaws; lengths in units of the plate, arrays with a value a unit along it.

    Attributes:
        ends: Places where it starts and ends.
        centre: Height of its middle on the plate.
        half: Half of its width.
        pitch: Distance between ripples.
        ripple: Height of the ripples.
        crown: Height of the bead.
        notched: Whether the plate is cut away along the toe.
        pores: Place and radius of each pore.
        grains: Place and radius of each grain of spatter.
        crater: Place and radius of an open crater, a row or none.
        cracks: Points along each crack.
        soot: Dullness of bead and plate by burnt metal, 0..1; a long arc and air in the gas leave it.
    """

    ends: tuple[int, int]
    centre: Float[np.ndarray, " N"]
    half: Float[np.ndarray, " N"]
    pitch: float
    ripple: float
    crown: float
    notched: Bool[np.ndarray, " N"]
    pores: Spots
    grains: Spots
    crater: Spots
    cracks: tuple[Float[np.ndarray, "_ 2"], ...]
    soot: float

    @property
    def outline(self) -> Float[np.ndarray, "P 2"]:
        """Return points on its edge."""
        x = np.arange(self.ends[0], self.ends[1], 8)
        return np.vstack([np.column_stack((x, self.centre[x] + side * self.half[x])) for side in (-1, 1)])

    @property
    def flawed(self) -> list[Region]:
        """Return the rectangles that hold a flaw: left, top, right, bottom."""
        regions = [_around(self.pores)] if len(self.pores) else []
        regions += [_around(self.crater)] if len(self.crater) else []
        regions += [_around(crack) for crack in self.cracks]
        if self.notched.any():
            x, reach = np.flatnonzero(self.notched), 1.4 * self.half
            toes = [np.column_stack((x, (self.centre + side * reach)[x])) for side in (-1, 1)]
            regions.append(_around(np.vstack(toes)))
        return regions


def make_bead(rng: np.random.Generator, *, is_good: bool) -> Bead:
    """Return a bead: even where it is good, with three or four of `FAULTS` where it is not."""
    faults = frozenset[str]() if is_good else frozenset(rng.choice(FAULTS, int(rng.integers(3, 5)), replace=False))
    n, unrest = PLATE[0], 1.0 if "irregular" not in faults else float(rng.uniform(5, 9))
    ends = (int(rng.integers(10, 60)), n - int(rng.integers(10, 60)))
    x = np.arange(n)
    centre = PLATE[1] / 2 + rng.uniform(-40, 40) + (0.6 + unrest) * _wave(n, 45.0, rng)
    half = rng.uniform(20, 38) + (0.4 + 0.9 * unrest) * _wave(n, 26.0, rng)
    half = np.maximum(half, 7) * np.sqrt(np.clip(np.minimum(x - ends[0], ends[1] - x) / 24, 0, 1))
    notched = np.zeros(n, bool)
    if "undercut" in faults:
        first = int(rng.integers(ends[0] + 20, ends[0] + 220))
        notched[first : first + int(rng.integers(120, 260))] = True
    course = np.stack((centre, half))
    pores, n_grains = np.zeros((0, 3)), int(rng.integers(0, 4))
    if "porosity" in faults:
        n_pores, middle, std = int(rng.integers(14, 36)), rng.uniform(120, 480), rng.uniform(40, 110)
        pores = _spots(n_pores, course, rng, middle=middle, std=std, reach=0.6)
    if "spatter" in faults:
        n_grains = int(rng.integers(90, 220))
    end = min(ends[1] - 28, n - 1)
    crater = np.array([(end, centre[end], 0.62 * half[end])]) if "crater" in faults else np.zeros((0, 3))
    return Bead(
        ends=ends,
        centre=centre.astype(np.float32),
        half=half.astype(np.float32),
        pitch=float(rng.uniform(9, 17)),
        ripple=float(rng.uniform(0.7, 1.3) * (0.5 if "irregular" in faults else 1)),
        crown=float(rng.uniform(7, 13)),
        notched=notched,
        pores=pores,
        grains=_spots(n_grains, course, rng, middle=n / 2, std=n / 3, reach=3.5),
        crater=crater,
        cracks=(_crack(centre, rng),) if "crack" in faults else (),
        soot=float(rng.uniform(0, 0.15) if is_good else rng.uniform(0.25, 0.9)),
    )


def _wave(n: int, smooth: float, rng: np.random.Generator) -> Float[np.ndarray, " N"]:
    wave = cv2.GaussianBlur(rng.standard_normal((1, n)), (0, 0), smooth)[0]
    return wave / wave.std()


def _spots(
    n: int, course: Float[np.ndarray, "2 N"], rng: np.random.Generator, *, middle: float, std: float, reach: float
) -> Spots:
    """Return places along a bead, and their radii.

    Args:
        course: Middle and half width of the bead.
        middle: Mean of the places along the bead.
        std: Standard deviation of the places along it.
        reach: Distance of the places from its middle [half widths].
    """
    centre, half = course
    x = np.clip(rng.normal(middle, std, n), 30, PLATE[0] - 31).astype(int)
    y = np.clip(centre[x] + rng.normal(0, reach / 2, n) * half[x], 8, PLATE[1] - 8)
    return np.column_stack((x, y, rng.uniform(2, 6, n)))


def _crack(centre: Float[np.ndarray, " N"], rng: np.random.Generator) -> Float[np.ndarray, "C 2"]:
    first = int(rng.integers(90, 330))
    x = np.arange(first, first + int(rng.integers(80, 200)), 7)
    return np.column_stack((x, centre[x] + np.cumsum(rng.normal(0, 1.6, len(x)))))


def _around(points: Float[np.ndarray, "P C"]) -> Region:
    """Return the rectangle around points or, where they have a third column, circles."""
    radius = points[:, 2:] if points.shape[1] > 2 else np.zeros((len(points), 1))
    left, top = (points[:, :2] - radius).min(0).tolist()
    right, bottom = (points[:, :2] + radius).max(0).tolist()
    return left, top, right, bottom
