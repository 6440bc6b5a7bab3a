# ruff: noqa: PLR2004 - a picture is made of numbers
"""Photographs of the finished plate with its paper label, five a run, as a phone takes them."""

import io
from datetime import datetime, timedelta
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from weld_pipeline.synthetic.plate import PLATE_PX, draw_plate
from weld_pipeline.synthetic.video import PROVENANCE, run_rng
from weld_pipeline.synthetic.welds import N_STILLS, DrawnWeld

_JPEG_QUALITY = 88


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
        weld: The run.
        name: One of `still_names`.
    """
    rng = run_rng(weld, name)
    width, height = weld.still_width, weld.still_width * 9 // 20
    photo = _table(width, height, int(run_rng(weld, "table").integers(0, 3)))
    photo = photo[:, :: int(rng.choice((-1, 1)))].copy()
    corners = _corners(width, height, rng)
    _lay(photo, _plate(weld), corners)
    gain = rng.normal(1, 0.02, 3) * rng.uniform(0.8, 1.12)  # white balance and exposure of the phone
    photo = cv2.LUT(photo, np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)[None])
    if rng.random() < 0.3:  # the hand shook
        photo = cv2.blur(photo, (int(rng.integers(2, 4 + width // 500)), 1))
    file = io.BytesIO()
    Image.fromarray(photo).save(file, format="JPEG", quality=_JPEG_QUALITY, comment=PROVENANCE)
    return file.getvalue()


@lru_cache(maxsize=2)
def _plate(weld: DrawnWeld) -> UInt8[np.ndarray, "h w 4"]:
    """Return the plate of a run, drawn once for its photographs."""
    return draw_plate(weld, run_rng(weld, "plate"))


def _corners(width: int, height: int, rng: np.random.Generator) -> Float[np.ndarray, "4 2"]:
    """Return where the corners of the plate lie in the photograph: turned, from afar, in perspective."""
    across = width * rng.uniform(0.36, 0.5)
    down = across * PLATE_PX[1] / PLATE_PX[0]
    angle = rng.normal(0, 0.35)
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (across / 2, down / 2)
    nearer = 1 + rng.uniform(0.02, 0.12) * np.array([-1, -1, 1, 1])[:, None]
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    centre = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.45, 0.55)])
    squeezed = (square * nearer) @ turn * (1, rng.uniform(0.72, 0.95))
    return (squeezed + centre).astype(np.float32)


def _lay(
    photo: UInt8[np.ndarray, "H W 3"], plate: UInt8[np.ndarray, "h w 4"], corners: Float[np.ndarray, "4 2"]
) -> None:
    """Put the plate, whose fourth channel is its cover, on the photograph, with a soft shadow; in place."""
    low = np.maximum(np.floor(corners.min(0)).astype(int) - 12, 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int) + 24, (photo.shape[1], photo.shape[0]))
    h, w = plate.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners - low.astype(np.float32))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    warped = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR)
    cover = warped[..., 3]
    shadow = cv2.blur(np.roll(cover, (10, 6), (0, 1)), (21, 21))
    region = photo[low[1] : high[1], low[0] : high[0]]
    shaded = cv2.multiply(region, cv2.merge([255 - shadow // 2] * 3), scale=1 / 255)
    np.copyto(region, np.where(cover[..., None] > 127, warped[..., :3], shaded))


@lru_cache(maxsize=3)
def _table(width: int, height: int, kind: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return what the plate lies on: cardboard of two ages, or a wooden bench."""
    rng = np.random.default_rng(kind)
    colour = np.array(((186, 132, 92), (196, 160, 118), (190, 140, 84))[kind], np.float32)
    fibre = cv2.GaussianBlur(rng.normal(0, 60, (height, width)), (0, 0), 6, sigmaY=0.8 if kind == 2 else 2)
    stains = cv2.resize(rng.normal(0, 10, (5, 9)), (width, height), interpolation=cv2.INTER_CUBIC)
    light = 1 - 0.35 * np.hypot((np.arange(width) / width - 0.45), (np.arange(height) / height - 0.4)[:, None])
    if kind != 2:  # the flutes of cardboard
        stains = stains + 4 * np.sin(np.arange(height) * 2 * np.pi * 1000 / width / 9)[:, None]
    picture = (colour + (fibre + stains)[..., None]) * light[..., None]
    table = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(3):
        a, b = rng.integers(0, width, 2), rng.integers(0, height, 2)
        cv2.line(
            table,
            (int(a[0]), int(b[0])),
            (int(a[0] + 0.2 * (a[1] - a[0])), int(b[1])),
            (92, 66, 48),
            max(1, width // 500),
            cv2.LINE_AA,
        )
    return table
