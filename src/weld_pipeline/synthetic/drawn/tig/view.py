# ruff: noqa: PLR2004 - an image is made of numbers
"""Camera of one TIG run, and the place of each pixel in the weld."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from weld_pipeline.synthetic.drawn.surfaces.relief import Field, clouds
from weld_pipeline.synthetic.drawn.tig.pool import Pool

# Lengths are written for frames of this width; the height is 35/64 of it, as 700 is of 1280.
REFERENCE_WIDTH = 1280


@dataclass(frozen=True)
class Camera:
    """Camera that all frames of a run share, whatever its class.

    Attributes:
        arc: End of the electrode in the frame [reference px].
        tilt: Angle of the seam in the frame [rad].
        side: 1 where the bead lies to the right of the arc, -1 where it lies to the left.
        exposure: Gain.
        base: Light of the surroundings [pixel values].
        noise: Standard deviation of the sensor noise [pixel values].
        grain: Roughness of the plate.
        grain_px: Size of its grain.
        is_cup_low: Whether the ceramic cup hides the electrode.
        ledge: Height in the frame of the edge of the plate below the weld; beyond the frame where none is seen.
    """

    arc: tuple[float, float]
    tilt: float
    side: int
    zoom: float
    exposure: float
    base: float
    noise: float
    grain: float
    grain_px: float
    is_cup_low: bool
    ledge: float


def make_camera(rng: np.random.Generator, *, is_bright: bool) -> Camera:
    """Return the camera of a run.

    Args:
        is_bright: Whether the plate is aluminium, which throws more light back.
    """
    is_oblique = rng.random() < 0.25
    is_cup_low = bool(rng.random() < 0.5)
    return Camera(
        arc=(float(rng.uniform(460, 700)), float(rng.uniform(70, 105) if is_cup_low else rng.uniform(100, 160))),
        tilt=float(rng.normal(0.38, 0.06) if is_oblique else rng.normal(0.03, 0.05)),
        side=-1 if is_oblique else 1,
        zoom=float(rng.uniform(0.9, 1.15)),
        exposure=float(rng.uniform(0.78, 1.25)),
        base=float(rng.uniform(30, 55) if is_bright else rng.uniform(12, 30)),
        noise=float(rng.uniform(0.3, 1.0)),
        grain=float(rng.uniform(0.5, 1.3)),
        grain_px=float(rng.uniform(10, 20)),
        is_cup_low=is_cup_low,
        ledge=float(rng.uniform(560, 660) if rng.random() < 0.4 else 900),
    )


@dataclass(frozen=True)
class View:
    """Place of each pixel of one frame.

    Attributes:
        scale: Pixels per reference pixel.
        arc_x: End of the electrode, from the left [reference px].
        arc_y: The same from the top.
        x: Position of each pixel right of the electrode [reference px].
        y: Position below it.
        u: Distance behind the arc along the seam.
        v: Distance from the middle of the pool across the seam.
        q: Distance from the middle of the pool: 0 there, 1 at its edge.
    """

    scale: float
    arc_x: float
    arc_y: float
    x: Float[np.ndarray, "1 W"]
    y: Float[np.ndarray, "H 1"]
    u: Field
    v: Field
    q: Field

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frame [px]."""
        h, w = self.u.shape
        return h, w

    def size(self, width: float, height: float) -> tuple[float, float]:
        """Return a size in pixels of the frame."""
        return width * self.scale, height * self.scale


def frame_view(camera: Camera, pool: Pool, *, width: int, rng: np.random.Generator) -> View:
    """Return the place of each pixel of a frame; the camera trembles a little and the pool is never quite an ellipse."""
    w, h = width, round(width * 35 / 64)
    k = w / REFERENCE_WIDTH
    arc_x, arc_y = camera.arc[0] + rng.normal(0, 8), camera.arc[1] + rng.normal(0, 4)
    x = ((np.arange(w, dtype=np.float32) + 0.5) / k - arc_x)[None]
    y = ((np.arange(h, dtype=np.float32) + 0.5) / k - arc_y)[:, None]
    cos, sin = np.cos(camera.tilt), np.sin(camera.tilt) * camera.side
    u = ((x * cos + y * sin) * camera.side / camera.zoom).astype(np.float32)
    v = ((y * cos - x * sin) / camera.zoom - 165).astype(np.float32)
    along = np.where(u > 0, u / pool.behind, u / pool.ahead)
    narrowing = 1 - 0.3 * np.clip(along, 0, 1.5) ** 2
    # Seen from the front and above, the near flank of the pool looks wider than the far one.
    flank = np.where(v > 0, 1.05, 0.82) * pool.half_width
    q = np.sqrt(along**2 + (v / (flank * narrowing)) ** 2).astype(np.float32)
    q += 0.03 * clouds((h, w), size=(150 * k, 80 * k), rng=rng)
    return View(k, float(arc_x), float(arc_y), x, y, u, v, q)
