"""Production line: its steel, its process, and its sound seams."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE, Bead, make_bead
from weld_pipeline.synthetic.drawn.surfaces.relief import Field, clouds
from weld_pipeline.synthetic.drawn.surfaces.steel_plate import Steel, Window, bare_steel, raise_bead, tint_steel

# Side of the square of plate that the camera sees [units], and how much more is drawn around it for its jitter.
SEEN, _AROUND = 200, 20
WINDOW: Window = (
    PLATE[0] // 2 - SEEN // 2 - _AROUND,
    PLATE[1] // 2 - SEEN // 2 - _AROUND,
    SEEN + 2 * _AROUND,
    SEEN + 2 * _AROUND,
)
# The waves of a plate are drawn for a whole plate in view; this near they are flatter than that.
_CLOSE_UP = 0.45
# Grain of each kind of steel: length and width [units], height [units], share of the colour.
_GRAIN = {0: (1.8, 1.6, 0.06, 0.06), 1: (30.0, 0.8, 0.07, 0.05), 3: (45.0, 0.8, 0.05, 0.035)}


@dataclass(frozen=True)
class SeamLine:
    """Look that all seams of one production line share: steel, process, light.

    Attributes:
        kind: Kind of steel; see `bare_steel`.
        half: Half width of the bead [units].
        pitch: Distance between its ripples [units].
        ripple: Height of the ripples [units].
        crown: Height of the bead [units].
        metal: Brightness of its metal [pixel values].
        tint: Reach [units] and share of the colours that heat leaves beside the bead.
        lamp: Place of the lamp: right, down, up [units from the corner of the window].
        colour: Factor on red, green and blue of the camera.
    """

    kind: int
    half: float
    pitch: float
    ripple: float
    crown: float
    metal: float
    tint: tuple[float, float]
    lamp: tuple[float, float, float]
    colour: tuple[float, float, float]


def line_of(rng: np.random.Generator) -> SeamLine:
    """Return a production line."""
    return SeamLine(
        kind=int(rng.choice(tuple(_GRAIN))),
        half=float(rng.uniform(24, 30)),
        pitch=float(rng.uniform(9, 13)),
        ripple=float(rng.uniform(0.5, 0.85)),
        crown=float(rng.uniform(8, 11)),
        metal=float(rng.uniform(120, 150)),
        tint=(float(rng.uniform(22, 40)), float(rng.uniform(0.25, 0.5))),
        lamp=(WINDOW[2] * (0.5 + float(rng.choice((-1.0, 1.0)))), -float(rng.uniform(120, 260)), 420.0),
        colour=(float(rng.normal(1.0, 0.02)), 1.0, float(rng.normal(1.0, 0.03))),
    )


def make_seam(line: SeamLine, rng: np.random.Generator) -> Bead:
    """Return a good bead through the middle of the plate, as the line welds it on one of its better and worse days."""
    bead = make_bead(rng, is_good=True)
    seen = slice(WINDOW[0], WINDOW[0] + WINDOW[2])
    return replace(
        bead,
        centre=bead.centre - bead.centre[seen].mean() + np.float32(PLATE[1] / 2),
        half=bead.half * np.float32(line.half * rng.normal(1, 0.03) / bead.half[seen].mean()),
        pitch=line.pitch * float(rng.normal(1, 0.03)),
        ripple=line.ripple * float(rng.normal(1, 0.08)),
        crown=line.crown * float(rng.normal(1, 0.05)),
    )


def welded(line: SeamLine, bead: Bead, image: DrawnImage) -> Steel:
    """Return the welded plate before it is lit, as much of it as the camera may see."""
    rng = image.rng("steel")
    scale, tone = image.width / SEEN, float(rng.normal(1, 0.025))
    steel = bare_steel(bead, rng, scale=scale, kind=line.kind, tone=tone, window=WINDOW)
    steel.height *= _CLOSE_UP
    reach, share = line.tint
    drift = sum(amount * _clouds(steel, (size, size), rng) for size, amount in ((60.0, 0.08), (14.0, 0.03)))
    uneven = replace(steel, v=steel.v * (1 + drift))  # heat does not run off evenly
    tint_steel(uneven, bead, reach=reach * float(rng.normal(1, 0.06)), share=share * float(rng.normal(1, 0.06)))
    raise_bead(steel, bead, rng, tone=(0.96 * line.metal, 1.04 * line.metal))
    _roughen(steel, line, rng)
    return steel


def _roughen(steel: Steel, line: SeamLine, rng: np.random.Generator) -> None:
    """Add the detail of a close view, in place: grain of the plate, oxide and silicate islands on the bead."""
    inside = cv2.GaussianBlur((np.abs(steel.v) < 1).astype(np.float32), (0, 0), 0.8)
    long, wide, depth, shade = _GRAIN[line.kind]
    grain = _clouds(steel, (long, wide), rng)
    oxide = 0.5 * _clouds(steel, (14.0, 14.0), rng) + 0.5 * _clouds(steel, (1.5, 1.5), rng)
    steel.height += depth * (1 - inside) * grain + 0.1 * inside * oxide
    steel.colour *= (1 + shade * (1 - inside) * grain + 0.07 * inside * oxide)[..., None]
    island = 0.6 * inside * np.clip(2.2 * (_clouds(steel, (7.0, 5.0), rng) - 2.1), 0, 1)
    steel.colour += island[..., None] * (np.array((92, 78, 64), np.float32) - steel.colour)


def _clouds(steel: Steel, size: tuple[float, float], rng: np.random.Generator) -> Field:
    """Return noise with blobs of a size in units."""
    return clouds(steel.v.shape, size=(size[0] * steel.scale, size[1] * steel.scale), rng=rng)
