"""Steel plate with a weld, seen from above: steel of several kinds, heat tint, the bead in relief under a lamp."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE, Bead
from weld_pipeline.synthetic.drawn.surfaces.lettering import LABEL_MARGIN, mark, paper_label, stick
from weld_pipeline.synthetic.drawn.surfaces.relief import Field, clouds, shaded

Image = Float[np.ndarray, "H W 3"]
# Left, top, width and height of a part of the plate [units].
Window = tuple[int, int, int, int]
WHOLE: Window = (0, 0, *PLATE)

# Mill scale, brushed steel, rust, stainless: colour, grain along and across, its height, gloss.
_KINDS = (
    ((62, 62, 66), (30, 24), 0.7, 0.35),
    ((138, 139, 142), (160, 3), 0.28, 0.7),
    ((118, 86, 62), (14, 12), 1.1, 0.1),
    ((168, 164, 156), (220, 4), 0.16, 0.9),
)
# Colours of oxide from the toe outwards: grey, blue, purple, straw.
_TINT = np.array(((96, 98, 106), (62, 74, 122), (112, 78, 112), (158, 118, 66), (176, 158, 118)), np.float32)
# The same as a table of 128 steps, repeated outwards.
_BANDS = cv2.resize(_TINT[None], (128, 1), interpolation=cv2.INTER_LINEAR)[0]


@dataclass
class Steel:
    """A plate, or a window of one, on its way to an image; the arrays are changed in place.

    Attributes:
        scale: Pixels per unit of the plate.
        window: Part of the plate that it shows.
        height: Height of the surface [units].
        colour: Its colour [pixel values].
        gloss: Strength of mirror images.
        column: Place of each pixel column along the plate, in whole units.
        v: Place of each pixel across the bead: -1 at one toe, 1 at the other.
    """

    scale: float
    window: Window
    height: Field
    colour: Image
    gloss: Field
    column: Int[np.ndarray, " W"]
    v: Field

    def to_px(self, points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """Return where points of the plate [units] lie in the window [px]."""
        return (points - self.window[:2]) * self.scale


def draw_steel(bead: Bead, rng: np.random.Generator, *, scale: float) -> UInt8[np.ndarray, "H W 4"]:
    """Return a welded plate as RGB with cover.

    Args:
        scale: Pixels per unit of the plate.
    """
    kind, tone = int(rng.integers(len(_KINDS))), float(rng.uniform(0.8, 1.15))
    steel = bare_steel(bead, rng, scale=scale, kind=kind, tone=tone)
    tint_steel(steel, bead, reach=float(rng.uniform(25, 70)), share=float(rng.uniform(0.3, 0.95)))
    raise_bead(steel, bead, rng)
    _mar(steel, bead)
    _blacken(steel, bead, rng)
    side = rng.choice((-1.0, 1.0))
    lamp = (PLATE[0] * (0.5 + 1.2 * side), -PLATE[1] * float(rng.uniform(0.3, 1.2)), 520.0)
    lit = light_steel(steel, lamp)
    return np.dstack((np.clip(lit, 0, 255), np.full(lit.shape[:2], 255))).astype(np.uint8)


def light_steel(steel: Steel, lamp: tuple[float, float, float]) -> Image:
    """Return how a plate looks under a lamp [pixel values]; mirror images may exceed 255.

    Args:
        lamp: Place of the lamp: right, down, up [units from the corner of the window].
    """
    facing, mirrored, _ = shaded(steel.height, light=lamp, scale=steel.scale, polish=24.0)
    return steel.colour * (0.3 + 0.95 * facing)[..., None] + (150 * steel.gloss * mirrored)[..., None]


def bare_steel(
    bead: Bead, rng: np.random.Generator, *, scale: float, kind: int, tone: float, window: Window = WHOLE
) -> Steel:
    """Return the plate before it is welded.

    Args:
        scale: Pixels per unit of the plate.
        kind: 0 mill scale, 1 brushed, 2 rusty, 3 stainless.
        tone: Factor on its colour.
        window: Part of the plate that is drawn.
    """
    left, top, *size = window
    w, h = (round(side * scale) for side in size)
    colour, (long, wide), rough, gloss = _KINDS[kind]
    base = np.array(colour, np.float32) * np.float32(tone)
    texture = clouds((h, w), size=(long * scale, max(1.0, wide * scale)), rng=rng)
    patchy = clouds((h, w), size=(130 * scale, 90 * scale), rng=rng)
    column = np.clip(left + (np.arange(w) / scale).astype(np.int32), 0, PLATE[0] - 1)
    y = top + ((np.arange(h, dtype=np.float32) + 0.5) / np.float32(scale))[:, None]
    return Steel(
        scale=scale,
        window=window,
        height=rough * texture,
        colour=base * (1 + 0.05 * texture + 0.09 * patchy)[..., None],
        gloss=np.full((h, w), gloss, np.float32),
        column=column,
        v=(y - bead.centre[column]) / np.maximum(bead.half[column], 0.5),
    )


def tint_steel(steel: Steel, bead: Bead, *, reach: float, share: float) -> None:
    """Colour the steel beside the bead with the oxides that heat leaves, in place."""
    half = bead.half[steel.column]
    far = np.clip((np.abs(steel.v) - 1) * np.maximum(half, 0.5) / np.float32(reach), 0, 1.6)
    near = np.float32(share) * np.clip(1.6 - far, 0, 1) * (half > 1)
    bands = _BANDS[np.clip(far * len(_BANDS), 0, len(_BANDS) - 1).astype(np.int32)]
    steel.colour += near[..., None] * (bands - steel.colour)


def raise_bead(steel: Steel, bead: Bead, rng: np.random.Generator, *, tone: tuple[float, float] = (112, 165)) -> None:
    """Lay the bead on the plate, in place: a crown with ripples like fallen coins.

    Args:
        tone: Darkest and brightest its metal may be [pixel values].
    """
    half = bead.half[steel.column]
    inside = (np.abs(steel.v) < 1) & (half > 1)
    dome = np.sqrt(np.clip(1 - steel.v**2, 0, 1))
    uneven = clouds(steel.v.shape, size=(40.0, 40.0), rng=rng)
    phase = (steel.column.astype(np.float32) - 0.9 * half * dome) / np.float32(bead.pitch) + 0.05 * uneven
    phase -= np.floor(phase)
    coins = np.minimum(phase / 0.75, (1 - phase) / 0.25)  # each overlaps the one before it
    steel.height *= 1 - 0.8 * inside
    steel.height += inside * (bead.crown * dome + 2.6 * bead.ripple * coins * dome)
    bright = np.float32(rng.uniform(*tone)) * (0.86 + 0.2 * coins + 0.04 * uneven)
    metal = bright[..., None] * np.array((0.98, 1.0, 1.03), np.float32)
    steel.colour += inside[..., None] * (metal - steel.colour)
    steel.gloss += inside * (0.75 - steel.gloss)


def _mar(steel: Steel, bead: Bead) -> None:
    """Add the flaws, in place: notches, pores, grains, crater, cracks."""
    if bead.notched.any():
        notch = np.exp(-(((np.abs(steel.v) - 1.12) / 0.14) ** 2)) * bead.notched[steel.column]
        steel.height -= 7 * notch
        steel.colour *= (1 - 0.75 * notch)[..., None]
    for x, y, radius in np.vstack((bead.pores, bead.crater)).tolist():
        bump(steel, (x, y, radius), rise=-1.3, tone=0.22)
    for x, y, radius in bead.grains.tolist():
        bump(steel, (x, y, radius), rise=1.0, tone=1.15)
    for crack in bead.cracks:
        points = np.round(crack * steel.scale * 16).astype(np.int32)
        cv2.polylines(steel.colour, [points], False, (10, 9, 9), max(1, round(2.5 * steel.scale)), cv2.LINE_AA, 4)


def _blacken(steel: Steel, bead: Bead, rng: np.random.Generator) -> None:
    """Cover the bead and the plate beside it with soot, in place."""
    drift = np.clip(1 + 0.35 * clouds(steel.v.shape, size=(70.0, 70.0), rng=rng), 0.2, 1.6)
    near = np.exp(-((steel.v / 2.6) ** 2)) * (bead.half[steel.column] > 1)
    soot = np.clip(np.float32(bead.soot) * near * drift, 0, 0.95)
    steel.colour *= (1 - 0.62 * soot)[..., None]
    steel.gloss *= 1 - 0.9 * soot


def bump(steel: Steel, spot: tuple[float, float, float], *, rise: float, tone: float) -> None:
    """Add a round bump or pit, in place.

    Args:
        spot: Place and radius [units].
        rise: Its height in radii; negative for a pit.
        tone: Factor on the colour.
    """
    left, top, *_ = steel.window
    x, y, radius = ((part - off) * steel.scale for part, off in zip(spot, (left, top, 0), strict=True))
    r = max(radius, 1.0)
    left, top = max(0, int(x - r - 1)), max(0, int(y - r - 1))
    rows, columns = slice(top, int(y + r + 2)), slice(left, int(x + r + 2))
    patch = steel.height[rows, columns]
    across = np.arange(left, left + patch.shape[1], dtype=np.float32) - np.float32(x)
    down = (np.arange(top, top + patch.shape[0], dtype=np.float32) - np.float32(y))[:, None]
    dome = np.sqrt(np.clip(1 - (across**2 + down**2) / np.float32(r**2), 0, 1))
    patch += np.float32(rise * spot[2]) * dome
    steel.colour[rows, columns] *= 1 + np.float32(tone - 1) * np.minimum(2 * dome, 1)[..., None]


def write_on(
    plate: UInt8[np.ndarray, "H W 4"], text: str, bead: Bead, *, scale: float, rng: np.random.Generator
) -> None:
    """Put writing on the plate, on the wider side of the bead, in place: a label printed or by hand, or a marker."""
    room = bead.centre.mean() > PLATE[1] / 2
    top = 30 if room else round(float((bead.centre + bead.half).max())) + 14
    left = int(rng.integers(60, 240))
    kind = int(rng.integers(3))
    if kind == 0:
        mark(plate, text, (round(left * scale), round((top + 55) * scale)), 1.5 * scale, rng)
        return
    paper = paper_label(text, rng, is_handwritten=kind == 1)
    small = cv2.resize(paper, (round(230 * scale), round(62 * scale)), interpolation=cv2.INTER_AREA)
    lowest, rightmost = (plate.shape[axis] - small.shape[axis] - 2 * LABEL_MARGIN for axis in (0, 1))
    stick(plate, small, (min(round(left * scale), rightmost), min(round(top * scale), lowest)), rng)
