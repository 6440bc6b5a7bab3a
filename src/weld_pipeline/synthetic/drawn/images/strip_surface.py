"""Strip surfaces: defects of hot-rolled strip, as the NEU data set photographs them: grey, square, close up."""

from collections.abc import Callable

import cv2
import numpy as np

from weld_pipeline.synthetic.drawn.encoding import as_jpeg
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.surfaces.relief import Field, clouds


def draw_strip(image: DrawnImage) -> bytes:
    """Return one square image in grey as JPEG."""
    coil, rng, side = image.session_rng("coil"), image.rng("surface"), image.width
    mean, grain = coil.uniform(95, 175), coil.uniform(4, 10)
    noise = clouds((side, side), size=(1.6, 1.6), rng=rng) + clouds((side, side), size=(9.0, 5.0), rng=rng)
    light = clouds((side, side), size=(float(side), float(side)), rng=rng)
    surface = mean + 0.5 * grain * noise + 8 * light + _DEFECTS[image.label](side, rng)
    return as_jpeg(np.clip(surface, 0, 255).astype(np.uint8))


def _crazing(side: int, rng: np.random.Generator) -> Field:
    """A net of fine cracks: the valleys between blobs of two sizes."""
    nets = [np.abs(clouds((side, side), size=(side / n, side / (1.6 * n)), rng=rng)) for n in (14, 24)]
    return -46 * np.exp(-nets[0] / 0.16) - 26 * np.exp(-nets[1] / 0.12)


def _inclusion(side: int, rng: np.random.Generator) -> Field:
    """Foreign matter rolled out along the strip: dark streaks, ragged and blunt."""
    x = np.arange(side, dtype=np.float32)[None] / side
    y = np.arange(side, dtype=np.float32)[:, None] / side
    ragged = clouds((side, side), size=(side / 20, side / 12), rng=rng)
    streaks = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        off = np.abs(x - rng.uniform(0.15, 0.85)) / rng.uniform(0.02, 0.05)
        reach = np.abs(y - rng.uniform(0.2, 0.8)) / rng.uniform(0.15, 0.5)
        streaks = np.maximum(streaks, np.clip(2.2 - off - reach**4 + 0.5 * ragged, 0, 1))
    return -70 * streaks


def _patches(side: int, rng: np.random.Generator) -> Field:
    """Patches left dull by the furnace: large, dark, with a clear edge."""
    blobs = clouds((side, side), size=(side / 3, side / 4), rng=rng) + 0.25 * clouds(
        (side, side), size=(9.0, 9.0), rng=rng
    )
    return -75 * np.clip((blobs - 0.35) / 0.3, 0, 1)


def _pitted(side: int, rng: np.random.Generator) -> Field:
    """Pits: small dark spots in drifts."""
    dense = np.clip(clouds((side, side), size=(side / 3, side / 3), rng=rng), 0, 2)
    spots = (rng.random((side, side), dtype=np.float32) < 0.02 * dense).astype(np.float32)
    pits = cv2.GaussianBlur(spots, (0, 0), side / 140) * 12
    return -80 * np.clip(pits, 0, 1)


def _rolled_in_scale(side: int, rng: np.random.Generator) -> Field:
    """Scale pressed into the strip: light flakes with dark edges, in rows across the rolling."""
    flakes = clouds((side, side), size=(side / 11, side / 26), rng=rng)
    rows = clouds((side, side), size=(side / 2, side / 9), rng=rng)
    edge = np.exp(-(((flakes - 0.9) / 0.25) ** 2))
    return np.clip(0.6 + 0.5 * rows, 0, 1.5) * (38 * np.clip(flakes - 0.9, 0, 1) - 52 * edge)


def _scratches(side: int, rng: np.random.Generator) -> Field:
    """Scratches: bright thin lines, most of them along the strip."""
    lines = np.zeros((side, side), np.float32)
    lean = rng.normal(0, 0.03)
    for _ in range(int(rng.integers(1, 5))):
        x, (top, bottom) = rng.uniform(0.1, 0.9), np.sort(rng.uniform(-0.2, 1.2, 2))
        start, stop = ([round(16 * side * (x + lean * at)), round(16 * side * at)] for at in (top, bottom))
        cv2.line(lines, start, stop, float(rng.uniform(0.5, 1)), int(rng.integers(1, 4)), cv2.LINE_AA, 4)
    return 95 * cv2.GaussianBlur(lines, (0, 0), side / 260)


_DEFECTS: dict[str, Callable[[int, np.random.Generator], Field]] = {
    "crazing": _crazing,
    "inclusion": _inclusion,
    "patches": _patches,
    "pitted_surface": _pitted,
    "rolled-in_scale": _rolled_in_scale,
    "scratches": _scratches,
}
STRIP_CLASSES = tuple(_DEFECTS)
