"""Scene of one recording: camera, torch, plate edge and grain, which stand still while the weld is filmed.

A scene is drawn at half the frame's size and enlarged; real frames are soft, and it costs a quarter.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

# Movements and sizes are written for frames of this width.
REFERENCE_WIDTH = 960
_TILE_HEIGHT, _TILE_WIDTH = 256, 1024

Canvas = Float[np.ndarray, "H W"]


@dataclass(frozen=True)
class Scene:
    """Set-up of one recording; lengths in pixels of a frame 960 wide, arrays on the half-size canvas.

    Attributes:
        scale: Canvas pixels per reference pixel.
        x: Position of each canvas column.
        y: Position of each canvas row.
        seam_x: Place where the torch axis meets the plate.
        edge: Height of the plate edge in each column.
        teeth: Roughness of the cut edge in each column.
        nozzle: Transmission of the background light past the nozzle, 0..1.
        nozzle_y: Lowest point of the nozzle.
        glints: Light of the arc thrown back by grains on the nozzle's rim and by the table [pixel values].
        halo: Light scattered around an arc in the middle; twice the canvas each way.
        grain: Smooth noise around 0 with standard deviation 1, stretched along the flow, endless in both directions.
        exposure: Gain of the camera.
        noise: Standard deviation of the sensor noise [pixel values].
    """

    scale: float
    x: Float[np.ndarray, " W"]
    y: Float[np.ndarray, "H 1"]
    seam_x: float
    edge: Float[np.ndarray, " W"]
    teeth: Float[np.ndarray, " W"]
    nozzle: Float[np.ndarray, "H W"]
    nozzle_y: float
    glints: Float[np.ndarray, "H W"]
    halo: Float[np.ndarray, "H2 W2"]
    grain: Float[np.ndarray, "R S"]
    exposure: float
    noise: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the canvas."""
        return self.y.shape[0], self.x.shape[0]


def make_scene(*, width: int, joint: str, session_rng: np.random.Generator, rng: np.random.Generator) -> Scene:
    """Return the scene of one run.

    Args:
        width: Frame width [px]; the height is 5/8 of it.
        joint: `butt`, `fillet` or `plane_plate`; a fillet's edge runs steeper.
        session_rng: Source of what a session shares: camera position, exposure, noise.
        rng: Source of what differs from run to run.
    """
    w, h = width // 2, width * 5 // 16
    scale = w / REFERENCE_WIDTH
    x = ((np.arange(w) + 0.5) / scale).astype(np.float32)
    y = ((np.arange(h) + 0.5) / scale).astype(np.float32)[:, None]
    seam_x = 478 + session_rng.normal(0, 14) + rng.normal(0, 10)
    edge_y = 276 + session_rng.normal(0, 9) + rng.normal(0, 6)
    slope = {"butt": -0.012, "fillet": -0.035, "plane_plate": 0.0}[joint] + session_rng.normal(0, 0.008)
    nozzle_y = edge_y - 168 + session_rng.normal(0, 5)
    nozzle = np.clip((1 - ((x - seam_x - 12) / 178) ** 2 - ((y - nozzle_y + 85) / 85) ** 2) / 0.02, 0, 1)
    spot = (seam_x - 45 + rng.normal(0, 8), edge_y + 228 + rng.normal(0, 8))
    reflection = 30 * np.exp(-(((x - spot[0]) / 42) ** 2) - ((y - spot[1]) / 13) ** 2)
    return Scene(
        scale=scale,
        x=x,
        y=y,
        seam_x=float(seam_x),
        edge=(edge_y + slope * (x - seam_x)).astype(np.float32),
        teeth=_teeth(w, rng),
        nozzle=(1 - 0.62 * nozzle).astype(np.float32),
        nozzle_y=float(nozzle_y),
        glints=(120 * _rim(x, y, seam_x + 12, nozzle_y, rng) + reflection).astype(np.float32),
        halo=_halo(w, h, scale),
        grain=np.roll(_grain(), tuple(rng.integers(0, 1024, 2)), (0, 1)),
        exposure=float(session_rng.uniform(0.88, 1.15) * rng.uniform(0.92, 1.08)),
        noise=float(session_rng.uniform(0.2, 1.2)),
    )


def _teeth(w: int, rng: np.random.Generator) -> Float[np.ndarray, " W"]:
    """Return the roughness of a sheared edge: fine teeth on a long wave."""
    fine = cv2.GaussianBlur(rng.standard_t(3, (1, w)) * 1.3, (0, 0), 0.8)[0]
    long = cv2.GaussianBlur(rng.normal(0, 8.0, (1, w)), (0, 0), 12)[0]
    return (fine + long).astype(np.float32)


def _rim(
    x: Float[np.ndarray, " W"], y: Float[np.ndarray, "H 1"], nozzle_x: float, nozzle_y: float, rng: np.random.Generator
) -> Canvas:
    """Return the brightness, 0..1, of spatter grains that stick to the rim of the nozzle."""
    angle = np.pi / 2 + rng.normal(0, 0.35, 26)
    columns = np.searchsorted(x, nozzle_x + 172 * np.cos(angle))
    rows = np.searchsorted(y[:, 0], nozzle_y - 86 + 86 * np.sin(angle))
    rim = np.zeros((y.shape[0], x.shape[0]), np.float32)
    inside = (columns < rim.shape[1]) & (rows < rim.shape[0])
    rim[rows[inside], columns[inside]] = rng.uniform(0.3, 1, inside.sum())
    return cv2.GaussianBlur(rim, (3, 3), 0.7)


@lru_cache(maxsize=4)
def _halo(w: int, h: int, scale: float) -> Float[np.ndarray, "H2 W2"]:
    # Read off the real recording: a core that saturates, a skirt of 90 px, and light over the whole frame.
    x = (np.arange(2 * w) - w) / scale
    y = ((np.arange(2 * h) - h) / scale)[:, None]
    radius = np.sqrt(x**2 + y**2)
    light = 175 * np.exp(-((radius / 72) ** 2)) + 100 * np.exp(-radius / 75) + 19 * np.exp(-((radius / 430) ** 2))
    return light.astype(np.float32)


@lru_cache(maxsize=1)
def _grain() -> Float[np.ndarray, "R S"]:
    """Return one sheet of noise, stretched along the flow and endless, that every run reads at its own place."""
    spectrum = np.fft.rfft2(np.random.default_rng(7).standard_normal((_TILE_HEIGHT, _TILE_WIDTH)))
    fy = np.fft.fftfreq(_TILE_HEIGHT)[:, None]
    fx = np.fft.rfftfreq(_TILE_WIDTH)[None, :]
    radius = np.sqrt((fy * 22) ** 2 + (fx * 40) ** 2)
    tile = np.fft.irfft2(spectrum * np.exp(-radius), s=(_TILE_HEIGHT, _TILE_WIDTH))
    return (tile / tile.std()).astype(np.float32)


@lru_cache(maxsize=1)
def sensor_noise() -> Float[np.ndarray, "R S"]:
    """Return one sheet of white noise of standard deviation 1, larger than any canvas, read at a new place in each frame."""
    return np.random.default_rng(11).standard_normal((640, 960)).astype(np.float32)


@lru_cache(maxsize=8)
def bokeh(radius: int) -> UInt8[np.ndarray, "D D"]:
    """Return a defocused grain of spatter: a mottled disc with a brighter rim."""
    size = 2 * radius + 3
    disc = np.zeros((size, size), np.float32)
    cv2.circle(disc, (radius + 1, radius + 1), radius, 0.75, -1)
    cv2.circle(disc, (radius + 1, radius + 1), radius, 1.0, 1)
    mottle = cv2.GaussianBlur(np.random.default_rng(radius).random((size, size)), (0, 0), 0.8)
    return (255 * np.clip(disc * (0.3 + 1.2 * mottle), 0, 1)).astype(np.uint8)
