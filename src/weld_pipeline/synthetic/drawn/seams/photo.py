"""Photographs of butt welds from above, as a fixed camera on a line takes them, and masks of their flaws."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8

from weld_pipeline.synthetic.drawn.encoding import as_png
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.seams.flaws import FLAWS
from weld_pipeline.synthetic.drawn.seams.line import SeamLine, line_of, make_seam, welded
from weld_pipeline.synthetic.drawn.surfaces.relief import clouds
from weld_pipeline.synthetic.drawn.surfaces.steel_plate import Image, light_steel

Photo = UInt8[np.ndarray, "S S 3"]
Mask = UInt8[np.ndarray, "S S"]

# A pixel belongs to a defect if its value differs by this much of 256, in any colour, from the same plate without it.
VISIBLE = 8


def draw_seam(image: DrawnImage) -> bytes:
    """Return the photograph as PNG."""
    return as_png(seam_photo(image))


def draw_seam_mask(image: DrawnImage) -> bytes:
    """Return where the photograph shows a defect as 8-bit PNG, 0 or 255."""
    return as_png(seam_mask(image))


def seam_mask(image: DrawnImage) -> Mask:
    """Return 255 where the photograph differs visibly from the same one without its defect, 0 elsewhere.

    Gaps of a pixel are closed: within a pit there are always places as bright as the sound metal was.
    """
    flawed, sound = (seam_photo(each).astype(np.int16) for each in (image, replace(image, label="good")))
    changed = (np.abs(flawed - sound).max(axis=2) >= VISIBLE).astype(np.uint8)
    return 255 * cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))


def seam_photo(image: DrawnImage) -> Photo:
    """Return the photograph of one seam; each source of variation is its own, so that a defect changes nothing else."""
    line = line_of(image.session_rng("line"))
    bead = make_seam(line, image.rng("bead"))
    steel = welded(line, bead, image)
    if image.label in FLAWS:
        FLAWS[image.label](steel, bead, image.rng("flaw"))
    rng = image.rng("light")
    right, down, up = line.lamp
    lit = light_steel(steel, (right + float(rng.normal(0, 12)), down + float(rng.normal(0, 12)), up))
    return _taken(lit, line, image)


def _taken(lit: Image, line: SeamLine, image: DrawnImage) -> Photo:
    """Return the camera's image: the plate never lies quite straight, the lamp ages, the sensor has grain."""
    rng, w = image.rng("camera"), image.width
    middle = (lit.shape[1] / 2, lit.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, float(rng.normal(0, 1.0)), float(rng.normal(1, 0.008)))
    for axis, aside in enumerate(np.clip(rng.normal(0, 0.012, 2), -0.03, 0.03).tolist()):
        matrix[axis, 2] += (aside + 0.5) * w - middle[axis]
    seen = cv2.warpAffine(lit, matrix, (w, w), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    seen = cv2.GaussianBlur(seen, (0, 0), w / 256 * float(rng.uniform(0.45, 0.7)))
    off = (np.arange(w, dtype=np.float32) + 0.5) / np.float32(w) - np.float32(0.5)
    vignette = 1 - np.float32(0.35) * (off**2 + off[:, None] ** 2)
    gain = np.array(line.colour, np.float32) * np.float32(rng.normal(1.0, 0.04))
    grain = np.float32(2.2) * clouds((w, w), size=(1.0, 1.0), rng=rng)
    return np.clip(seen * vignette[..., None] * gain + grain[..., None], 0, 255).astype(np.uint8)
