# ruff: noqa: PLR2004 - an image is made of numbers
"""Stills: photographs of the finished plate with its paper label, five a run, as a phone takes them."""

from datetime import datetime, timedelta
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from weld_pipeline.synthetic.drawn.encoding import as_jpeg
from weld_pipeline.synthetic.drawn.shop.plate import PLATE_PX, draw_plate
from weld_pipeline.synthetic.drawn.shop.video import run_rng
from weld_pipeline.synthetic.drawn.shop.welds import N_STILLS, DrawnWeld
from weld_pipeline.synthetic.drawn.surfaces.tabletop import corners, lay, table_top


def still_names(weld: DrawnWeld) -> list[str]:
    """Return the file names of a run's photographs: frames of two bursts taken after the weld, as on the phone."""
    rng = run_rng(weld, "stills")
    first = datetime.strptime(weld.session, "%m-%d-%y") + timedelta(seconds=float(rng.uniform(10, 17) * 3600))  # noqa: DTZ007
    second = first + timedelta(seconds=int(rng.integers(4, 9)))
    numbers = rng.choice(np.arange(1, 31), N_STILLS, replace=False)
    stamps = (first, first, second, second, second)
    return sorted(f"{at:%Y%m%d_%H%M%S}_{number:03d}.jpg" for at, number in zip(stamps, numbers, strict=True))


def draw_still(weld: DrawnWeld, name: str) -> bytes:
    """Return one photograph of a run as JPEG, its comment saying that it is drawn.

    Args:
        name: One of `still_names`.
    """
    rng = run_rng(weld, name)
    width, height = weld.still_width, weld.still_width * 9 // 20
    photo = table_top(width, height, int(run_rng(weld, "table").integers(0, 3)))
    photo = photo[:, :: int(rng.choice((-1, 1)))].copy()
    lay(photo, _plate(weld), _corners(width, height, rng))
    gain = rng.normal(1, 0.02, 3) * rng.uniform(0.8, 1.12)  # white balance and exposure of the phone
    photo = cv2.LUT(photo, np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)[None])
    if rng.random() < 0.3:  # the hand shook
        photo = cv2.blur(photo, (int(rng.integers(2, 4 + width // 500)), 1))
    return as_jpeg(photo)


@lru_cache(maxsize=2)
def _plate(weld: DrawnWeld) -> UInt8[np.ndarray, "h w 4"]:
    """Return the plate of a run, drawn once for its photographs."""
    return draw_plate(weld, run_rng(weld, "plate"))


def _corners(width: int, height: int, rng: np.random.Generator) -> Float[np.ndarray, "4 2"]:
    """Return the places of the plate's corners in the photograph: turned, from afar, in perspective."""
    across = width * rng.uniform(0.36, 0.5)
    down = across * PLATE_PX[1] / PLATE_PX[0]
    angle, nearer = rng.normal(0, 0.35), rng.uniform(0.02, 0.12)
    centre = (width * rng.uniform(0.42, 0.58), height * rng.uniform(0.45, 0.55))
    return corners(centre, (across, down), angle=angle, nearer=nearer, squeezed=rng.uniform(0.72, 0.95))
