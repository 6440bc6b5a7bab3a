# ruff: noqa: PLR2004 - an image is made of numbers
"""Arc: its body, the light it throws on torch and plate, the wire, the plume."""

import cv2
import numpy as np
from jaxtyping import Float, Int

from weld_pipeline.synthetic.drawn.shop.moment import Moment
from weld_pipeline.synthetic.drawn.shop.scene import Canvas

_BACKGROUND = np.float32(10)
_ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)
# Half the size of the patch the arc, its plume and its root glow may touch [reference px].
_PATCH = (330, 140)


def lit_scene(moment: Moment) -> Canvas:
    """Return the dark surroundings as the arc lights them: plate front, nozzle, reflection."""
    scene = moment.scene
    h, w = scene.shape
    strength = moment.level * moment.arc_size * scene.exposure
    if strength < 0.02:
        return np.full((h, w), _BACKGROUND, np.float32)
    left, upper = w - round(moment.arc_x * scene.scale), h - round(moment.arc_y * scene.scale)
    canvas = scene.halo[upper : upper + h, left : left + w] * scene.nozzle
    # The front of the plate faces away from the arc and is darker than what lies behind it.
    edge = moment.edge + scene.teeth
    first, last = np.searchsorted(scene.y[:, 0], (edge.min(), edge.max()))
    canvas[first:last] *= np.where(scene.y[first:last] > edge, np.float32(0.8), np.float32(1))
    canvas[last:] *= np.float32(0.8)
    canvas += scene.glints
    canvas *= np.float32(strength)
    canvas += _BACKGROUND
    return canvas


def draw_root(canvas: Canvas, moment: Moment) -> None:
    """Paint the glowing drip that penetration shows under the edge, in place."""
    if moment.root < 2:
        return
    k = moment.scene.scale
    rows, columns = _patch(moment)
    drip = np.zeros(canvas[rows, columns].shape, np.uint8)
    centre = (round((moment.arc_x - 22) * k) - columns.start, round(moment.edge_at_arc * k) - rows.start)
    axes = (max(1, round((26 + 0.35 * moment.root) * k)), max(1, round(moment.root * k)))
    cv2.ellipse(drip, centre, axes, 0, 0, 180, 235, -1)
    glow = cv2.GaussianBlur(drip, (0, 0), 1 + 7 * k) * np.float32(0.75 + 0.25 * moment.level)
    np.maximum(canvas[rows, columns], glow, out=canvas[rows, columns])


def draw_arc(canvas: Canvas, moment: Moment, rng: np.random.Generator) -> None:
    """Paint the body of the arc, in place: a small ragged spot at the background current, a saturated blob at the peak."""
    scene, level, size = moment.scene, moment.level, moment.arc_size
    rows, columns = _patch(moment)
    corner = np.array((columns.start, rows.start)) / scene.scale
    place = np.array((moment.arc_x, moment.arc_y))
    wide = (20 + 78 * level * rng.uniform(0.85, 1.12)) * size
    tall = np.where(np.sin(_ANGLES) < 0, 13 + 42 * level * rng.uniform(0.8, 1.15), 20 + 20 * level) * size
    outline = _outline(rng, ragged=0.09, erupts=level > 0.5 and rng.random() < 0.12)
    body = place + np.column_stack((wide * outline * np.cos(_ANGLES), tall * outline * np.sin(_ANGLES)))
    mask = np.zeros(canvas[rows, columns].shape, np.uint8)
    if level > 0.5:
        plume = _plume(place, wide, rng) - corner
        light = int(rng.integers(35, 120))
        cv2.fillPoly(mask, [fixed(plume, scene.scale)], light, cv2.LINE_AA, 4)
        core = plume[:1] + (plume - plume[:1]) * (0.62, 0.8)
        cv2.fillPoly(mask, [fixed(core, scene.scale)], light + 70, cv2.LINE_AA, 4)
    cv2.fillPoly(mask, [fixed(body - corner, scene.scale)], 255, cv2.LINE_AA, 4)
    # The plate edge cuts the arc off; only under its middle does glare spill over.
    x = scene.x[columns]
    glare = (3 + 13 * level) * np.exp(-(((x - moment.arc_x) / (0.5 * wide)) ** 2))
    mask[scene.y[rows] > moment.edge[columns] + scene.teeth[columns] / 2 + glare] = 0
    soft = cv2.GaussianBlur(mask, (0, 0), (1.2 + 2.5 * level) * scene.scale * 2)
    canvas[rows, columns] += soft * np.float32(1.6 * (0.75 + 0.25 * level))


def draw_wire(canvas: Canvas, moment: Moment) -> None:
    """Paint the wire, in place: a dark tapering needle, its two flanks catching the light of the peak."""
    scene, level = moment.scene, moment.level
    k, x, y = scene.scale, moment.arc_x, moment.arc_y
    if moment.is_burning:
        tip = y - (8 if level < 0.3 else 34 * moment.arc_size)
        flank = 70 + 120 * level
    else:
        tip, flank = y - 66, 40 * moment.heat
    above = scene.seam_x + moment.torch_x
    wire = np.array([(above - 8, scene.nozzle_y), (above + 8, scene.nozzle_y), (x + 4, tip), (x - 4, tip)])
    cv2.fillConvexPoly(canvas, fixed(wire, k), 14 + 26 * level, cv2.LINE_8, 4)
    for root, end in ((wire[0], wire[3]), (wire[1], wire[2])):
        lit_from = root + (end - root) * (0.1 if level > 0.3 else 0.45)
        start, stop = fixed(np.array([lit_from, end]), k).tolist()
        cv2.line(canvas, start, stop, flank, max(1, round(2.4 * k)), cv2.LINE_8, 4)
    if not moment.is_burning:  # the end of the wire has melted to a ball
        cv2.circle(canvas, (round(x * k), round(tip * k)), max(1, round(13 * k)), 235 * moment.heat, -1)
    left, right = (max(0, round((f(wire[:, 0]) + d) * k)) for f, d in ((np.min, -18), (np.max, 18)))
    upper, lower = max(0, round(scene.nozzle_y * k)), max(1, round((tip + 14) * k))
    canvas[upper:lower, left:right] = cv2.GaussianBlur(canvas[upper:lower, left:right], (3, 3), 0.75)


def fixed(points: Float[np.ndarray, "P 2"], scale: float) -> Int[np.ndarray, "P 2"]:
    """Return points on the canvas in sixteenths of a pixel, as OpenCV draws them with `shift=4`."""
    return np.round(points * scale * 16).astype(np.int32)


def _patch(moment: Moment) -> tuple[slice, slice]:
    """Return the rows and columns around the arc."""
    h, w = moment.scene.shape
    k = moment.scene.scale
    rows = slice(max(0, round((moment.arc_y - _PATCH[1]) * k)), min(h, round((moment.arc_y + _PATCH[1]) * k)))
    columns = slice(max(0, round((moment.arc_x - _PATCH[0]) * k)), min(w, round((moment.arc_x + _PATCH[0]) * k)))
    return rows, columns


def _outline(rng: np.random.Generator, *, ragged: float, erupts: bool) -> Float[np.ndarray, " A"]:
    """Return the radius of the arc in each direction, relative to an ellipse."""
    radius = np.ones_like(_ANGLES)
    for order in range(2, 7):
        radius += ragged / np.sqrt(order) * rng.normal() * np.sin(order * _ANGLES + rng.uniform(0, 6.3))
    if erupts:
        upward = np.clip(-np.sin(_ANGLES), 0, 1)
        radius += upward * rng.uniform(0, 0.9, len(_ANGLES)) * (rng.random(len(_ANGLES)) < 0.5)
    return radius


def _plume(place: Float[np.ndarray, "2"], wide: float, rng: np.random.Generator) -> Float[np.ndarray, "P 2"]:
    """Return the outline of the plume that licks ahead along the plate and may curl up."""
    along = np.linspace(0, 1, 7)
    reach, rise = wide + rng.uniform(20, 190), rng.uniform(-2, 55) * rng.random()
    spine = place + np.column_stack((reach * along, 10 - rise * along**3))
    thickness = np.column_stack((0 * along, 24 * (1 - along) ** 0.7 + 2))
    return np.vstack((spine - thickness, (spine + thickness / 2)[::-1]))
