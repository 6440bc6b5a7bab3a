# ruff: noqa: PLR2004 - an image is made of numbers
"""TIG frame as a high-dynamic-range camera takes it: electrode, arc, pool, plate."""

import cv2
import numpy as np
from jaxtyping import UInt8

from weld_pipeline.synthetic.drawn.encoding import as_png
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.surfaces.relief import Field, shaded
from weld_pipeline.synthetic.drawn.tig.pool import Pool, tig_pool
from weld_pipeline.synthetic.drawn.tig.surface import make_surface
from weld_pipeline.synthetic.drawn.tig.view import Camera, View, frame_view, make_camera

# Frames are drawn at this share of their size and enlarged: the real ones are soft, and it costs half.
_CANVAS = 2 / 3


def draw_tig_frame(image: DrawnImage) -> bytes:
    """Return one frame as 8-bit grey PNG."""
    is_bright = image.layout == "tig_al5083"
    rng = image.rng("frame")
    camera = make_camera(image.session_rng("camera"), is_bright=is_bright)
    pool = tig_pool(image.label, image.session_rng("pool"), rng)
    view = frame_view(camera, pool, width=round(image.width * _CANVAS), rng=rng)
    surface = make_surface(view, pool, camera, is_bright=is_bright, rng=rng)
    lamp = (view.arc_x, view.arc_y + 95.0, 150.0)
    facing, mirrored, distance = shaded(surface.height, light=lamp, scale=view.scale, polish=18.0)
    fading = 1 / (1 + (distance / 330) ** 2.4)
    light = surface.albedo * (camera.base + 185 * pool.arc * facing * fading) + surface.glow
    light += 70 * pool.arc * surface.gloss * mirrored * fading
    light = _behind_torch(light + _arc_light(view, pool, rng), view, camera)
    pixels = _developed(light, camera, (image.width, round(image.width * 35 / 64)), rng)
    if image.is_written:
        _stamp(pixels, image)
    return as_png(pixels)


def _arc_light(view: View, pool: Pool, rng: np.random.Generator) -> Field:
    """Return the light of the arc itself: a point at the electrode, a cone below it, a veil around."""
    down = np.clip(view.y, 0, None)
    flicker = rng.uniform(0.92, 1.08)
    cone = np.exp(-((view.x / (22 + 0.3 * down)) ** 2)) * np.exp(-down / (170 * pool.arc)) * (view.y > -12)
    if pool.rays > 0:
        angle = np.arctan2(view.x, down + 30)
        fan = np.exp(-((angle / 0.75) ** 2)) * np.exp(-down / 190)
        stripes = 0.55 + 0.45 * np.cos(angle * rng.uniform(14, 22) + rng.uniform(0, 6.3))
        cone = np.maximum(0.6 * cone, np.clip(pool.rays, 0, 1) * 0.75 * fan * stripes * (view.y > -12))
    radius = np.hypot(view.x, view.y)
    veil = np.exp(-np.hypot(view.x, view.y - 110) / 210)
    point = np.exp(-((radius / 17) ** 2))
    return (pool.arc * flicker * (235 * cone + 42 * veil) + 230 * point).astype(np.float32)


def _behind_torch(light: Field, view: View, camera: Camera) -> Field:
    """Return the light past the objects before it: cup or electrode above, the edge of the plate below."""
    x, y = view.x, view.y
    if camera.is_cup_low:
        cup = np.clip((1 - (x / 330) ** 2 - ((y + 190) / 182) ** 2) / 0.03, 0, 1)
        light = light * (1 - cup) + cup * (9 + 14 * np.exp(-((y + 8) ** 2) / 120 - (x / 60) ** 2))
    else:
        half = np.clip(7 - 0.5 * y, 0, 34)
        electrode = np.clip((half - np.abs(x)) / 4 + 0.5, 0, 1) * (y < 4)
        tone = 62 + 30 * x / 34 + 24 * np.sin(y / 9)
        light = light * (1 - electrode) + electrode * tone
        cup = np.clip((1 - (x / 300) ** 2 - ((y + 330) / 182) ** 2) / 0.03, 0, 1)
        light = light * (1 - cup) + cup * 12
    below = np.clip((y + view.arc_y - camera.ledge - 0.09 * x) / 30, 0, 1)
    return (light * (1 - 0.88 * below)).astype(np.float32)


def _developed(
    light: Field, camera: Camera, size: tuple[int, int], rng: np.random.Generator
) -> UInt8[np.ndarray, "h w"]:
    """Return the sensor's image: highlights bent over as its high dynamic range does, a soft lens, noise."""
    exposed = camera.exposure * light
    bent = 252 * (1 - np.exp(-exposed / 165))
    soft = cv2.resize(bent.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    noisy = soft + camera.noise * rng.standard_normal(soft.shape, dtype=np.float32)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _stamp(pixels: UInt8[np.ndarray, "H W"], image: DrawnImage) -> None:
    """Burn number and time into the corner, in place, as the recorder of some runs does."""
    digits = image.path[-8:-4]
    run = image.session
    text = f"{int(digits)} 20{run[:2]}-{run[2:4]}-{run[4:6]} {run[7:9]}:{run[9:11]}:{run[11:13]}.{digits[1:]}"
    cv2.putText(pixels, text, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.3, 255, 1, cv2.LINE_AA)
