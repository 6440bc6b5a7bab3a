# ruff: noqa: PLR2004 - an image is made of numbers
"""Plate of a run, seen from above: steel, heat tint, bead by class, and the label with the run id."""

from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from weld_pipeline.synthetic.drawn.shop.welds import DrawnWeld
from weld_pipeline.synthetic.drawn.surfaces.lettering import paper_label, stick

Steel = UInt8[np.ndarray, "h w 3"]

# Plate and the target sheet below it, drawn flat and laid into the photograph in perspective.
PLATE_PX = (1000, 620)
_STEEL_ROWS = 400
_BEAD = (120, 880, 130)  # start, end and height of the seam


def draw_plate(weld: DrawnWeld, rng: np.random.Generator) -> UInt8[np.ndarray, "h w 4"]:
    """Return plate, label and target sheet as RGB with cover."""
    width, height = PLATE_PX
    image = np.zeros((height, width, 4), np.uint8)
    steel = _steel(weld, rng)
    _draw_bead(steel, weld, rng)
    image[:_STEEL_ROWS] = np.dstack((steel, np.full(steel.shape[:2], 255, np.uint8)))
    label = paper_label(weld.run_id, rng, is_handwritten=weld.is_handwritten)
    stick(image, label, (int(rng.integers(330, 400)), int(rng.integers(225, 250))), rng)
    _target(image, rng)
    return image


def _steel(weld: DrawnWeld, rng: np.random.Generator) -> Steel:
    """Return the bare plate: brushed and cloudy, soot along the seam, the joint as a line or an upright leg."""
    width = PLATE_PX[0]
    y, x = np.arange(_STEEL_ROWS, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    grey = np.roll(_brushed(), tuple(rng.integers(0, 400, 2).tolist()), (0, 1))
    cloudy = rng.normal(0, 7, (4, 7)).astype(np.float32)
    grey += cv2.resize(cloudy, (width, _STEEL_ROWS), interpolation=cv2.INTER_CUBIC)
    grey += 94 if weld.steel == "FE410" else 82
    along = np.clip((x - 60) / 90, 0, 1) * np.clip((940 - x) / 90, 0, 1)
    grey -= 38 * np.exp(-(((y - _BEAD[2]) / 75) ** 2)) * along
    if weld.joint == "butt":
        grey[_BEAD[2] - 1 : _BEAD[2] + 2] -= 55
    elif weld.joint == "fillet":
        grey[: _BEAD[2] - 8] *= 0.62
    grey[-14:] *= 0.55  # the cut face
    steel = np.clip(grey, 0, 255).astype(np.uint8)
    return cv2.merge((steel, steel, (steel * np.float32(0.97)).astype(np.uint8)))


@lru_cache(maxsize=1)
def _brushed() -> Float[np.ndarray, "h w"]:
    """Return the marks of the brush on a plate, around 0; each plate has them at another place."""
    noise = np.random.default_rng(5).normal(0, 28, (_STEEL_ROWS, PLATE_PX[0])).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 9, sigmaY=0.7)


def _draw_bead(steel: Steel, weld: DrawnWeld, rng: np.random.Generator) -> None:
    """Paint the bead, in place: its outline, ripples and flaws show the class."""
    start, end, seam = _BEAD
    x = np.arange(start, end)
    half = _half_width(weld.label, x, rng)
    centre = seam + cv2.GaussianBlur(rng.normal(0, 6, (1, len(x))), (0, 0), 25)[0]
    if weld.label == "Lack_of_Fusion":
        centre = centre + 20
    y = np.arange(seam - 90, seam + 90)[:, None]
    v = ((y - centre) / half).astype(np.float32)  # -1 at one toe, 1 at the other
    ripples = 17 * np.sin(2 * np.pi * (x / rng.uniform(9, 13) + 0.6 * v**2))
    shade = 118 + 62 * np.sqrt(np.clip(1 - v**2, 0, 1)) * np.clip(0.7 - v, 0, 1.2) + ripples
    shade += 0.9 * _brushed()[: len(y), : len(x)]
    colour = shade[..., None] * np.array((0.93, 1.0, 1.07), np.float32)
    region = steel[y[0, 0] : y[-1, 0] + 1, start:end]
    if weld.label == "Undercut":
        notch = np.exp(-(((np.abs(v) - 1.2) / 0.16) ** 2)) * (np.sin(x / 17) > -0.4)
        region[:] = np.clip(region * (1 - 0.85 * notch[..., None]), 0, 255).astype(np.uint8)
    np.copyto(region, np.clip(colour, 0, 255).astype(np.uint8), where=(np.abs(v) < 1)[..., None])
    _draw_flaws(steel, weld.label, centre, half, rng)


def _half_width(label: str, x: np.ndarray, rng: np.random.Generator) -> Float[np.ndarray, " N"]:
    """Return half the width of the bead along the seam."""
    base = {"Excessive_Penetration": 17.0, "Lack_of_Fusion": 13.0, "Excessive_Convexity": 21.0, "Overlap": 30.0}.get(
        label, 23.0
    )
    unrest = {"Burnthrough": 9.0, "Overlap": 9.0, "Spatter": 4.0}.get(label, 1.6)
    wobble = cv2.GaussianBlur(rng.normal(0, 1, (1, len(x))), (0, 0), 12)[0]
    ends = np.sqrt(np.clip(np.minimum(x - x[0], x[-1] - x) / 22, 0.05, 1))
    return np.maximum((base + unrest * wobble / wobble.std()) * ends, 2.0)


def _draw_flaws(
    steel: Steel, label: str, centre: Float[np.ndarray, " N"], half: Float[np.ndarray, " N"], rng: np.random.Generator
) -> None:
    """Paint the flaws in and beside the bead, in place: grains, pores, holes, a glossy crown."""

    def at(column: int, v: float) -> tuple[int, int]:
        return _BEAD[0] + column, int(centre[column] + v * half[column])

    columns = rng.integers(20, len(centre) - 20, 60).tolist()
    for column in columns[: 60 if label == "Spatter" else 5]:
        beside = at(column, float(rng.choice((-1, 1)) * rng.uniform(1.3, 5)))
        cv2.circle(steel, beside, int(rng.integers(2, 6)), (150, 152, 156), -1, cv2.LINE_AA)
    if "Porosity" in label:
        for column in columns[:26]:
            pore = at(column, rng.uniform(-0.7, 0.7))
            cv2.circle(steel, pore, int(rng.integers(2, 6)), (22, 22, 24), -1, cv2.LINE_AA)
    elif label == "Burnthrough":
        for column in columns[:6]:
            cv2.ellipse(steel, at(column, 0.0), (int(rng.integers(14, 30)), 13), 0, 0, 360, (9, 8, 8), -1, cv2.LINE_AA)
    elif label == "Excessive_Convexity":
        for column in range(30, len(centre) - 30, 3):
            cv2.circle(steel, at(column, -0.35), 3, (226, 232, 238), -1)
    elif label == "Crater_Cracks":
        _draw_cracks(steel, at(len(centre) - 26, 0.0), rng)


def _draw_cracks(steel: Steel, end: tuple[int, int], rng: np.random.Generator) -> None:
    """Paint a crater and the cracks that start in it, in place."""
    cv2.ellipse(steel, end, (24, 16), 0, 0, 360, (58, 60, 64), -1, cv2.LINE_AA)
    for angle in rng.uniform(0, 6.28, 5):
        tip = (int(end[0] + 24 * np.cos(angle)), int(end[1] + 18 * np.sin(angle)))
        cv2.line(steel, end, tip, (8, 8, 8), 2, cv2.LINE_AA)


def _target(image: UInt8[np.ndarray, "h w 4"], rng: np.random.Generator) -> None:
    """Draw the sheet with three photogrammetry targets that lies below every plate, in place."""
    left, right, top = 70, 930, _STEEL_ROWS + 6
    image[top:-4, left:right] = (226, 228, 232, 255)
    for x in (250, 500, 750):
        centre = (x, (top + image.shape[0]) // 2)
        cv2.circle(image, centre, 22, (24, 24, 26, 255), -1, cv2.LINE_AA)
        for angle in rng.choice((0, 60, 120, 180, 240, 300), 3, replace=False):
            cv2.ellipse(image, centre, (62, 62), 0, float(angle), float(angle) + 40, (24, 24, 26, 255), 22, cv2.LINE_AA)
