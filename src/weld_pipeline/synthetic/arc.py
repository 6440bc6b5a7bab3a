"""The arc: its body, the light it throws on torch and plate, the wire, the plume."""

import cv2
import numpy as np
from jaxtyping import Float

from weld_pipeline.synthetic.motion import Motion
from weld_pipeline.synthetic.scene import Scene

Canvas = Float[np.ndarray, "H W"]
Edge = Float[np.ndarray, " W"]

_BACKGROUND = 10.0
_ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)


def arc_place(scene: Scene, motion: Motion, i: int, edge: Edge) -> tuple[float, float]:
    """Return where the arc burns in frame `i` [reference px]."""
    x = float(scene.seam_x + motion.arc_x[i])
    column = int(np.clip(x * scene.scale, 0, len(edge) - 1))
    return x, float(edge[column] - 24 + motion.arc_y[i])


def lit_scene(scene: Scene, motion: Motion, i: int, edge: Edge) -> Canvas:
    """Return the dark surroundings as the arc of frame `i` lights them: plate front, nozzle, reflection."""
    h, w = scene.shape
    strength = motion.level[i] * motion.arc_size[i] * scene.exposure
    if strength < 0.02:
        return np.full((h, w), _BACKGROUND, np.float32)
    x, y = arc_place(scene, motion, i, edge)
    left, upper = w - round(x * scene.scale), h - round(y * scene.scale)
    light = scene.halo[upper : upper + h, left : left + w]
    below = np.where(scene.y > edge + scene.teeth, np.float32(0.8), np.float32(1.0))
    canvas = light * below
    canvas *= scene.nozzle
    canvas += 120 * scene.rim + 30 * scene.reflection
    canvas *= np.float32(strength)
    canvas += np.float32(_BACKGROUND)
    return canvas


def draw_root(canvas: Canvas, scene: Scene, motion: Motion, i: int, edge: Edge) -> None:
    """Paint the glowing drip that penetration shows under the edge."""
    if motion.root[i] < 2:
        return
    x, _ = arc_place(scene, motion, i, edge)
    k, column = scene.scale, int(np.clip(x * scene.scale, 0, len(edge) - 1))
    drip = np.zeros(scene.shape, np.uint8)
    centre = (round((x - 22) * k), round(edge[column] * k))
    axes = (max(1, round((26 + 0.35 * motion.root[i]) * k)), max(1, round(motion.root[i] * k)))
    cv2.ellipse(drip, centre, axes, 0, 0, 180, 205, -1)
    glow = cv2.GaussianBlur(drip, (0, 0), 1 + 7 * k).astype(np.float32)
    np.maximum(canvas, glow * np.float32(0.75 + 0.25 * motion.level[i]), out=canvas)


def draw_arc(canvas: Canvas, scene: Scene, motion: Motion, i: int, edge: Edge, rng: np.random.Generator) -> None:
    """Paint the body of the arc: a small ragged spot in the background phase, a saturated blob at the peak."""
    level, size = float(motion.level[i]), float(motion.arc_size[i])
    x, y = arc_place(scene, motion, i, edge)
    wide = (24 + 66 * level * rng.uniform(0.85, 1.12)) * size
    outline = _outline(rng, ragged=0.09, erupts=level > 0.5 and rng.random() < 0.12)
    tall = np.where(np.sin(_ANGLES) < 0, (18 + 30 * level * rng.uniform(0.8, 1.15)) * size, (24 + 20 * level) * size)
    body = np.column_stack((x + wide * outline * np.cos(_ANGLES), y + tall * outline * np.sin(_ANGLES)))
    mask = np.zeros(scene.shape, np.uint8)
    if level > 0.5:
        cv2.fillPoly(mask, [_fixed(_tongue(x, y, wide, rng), scene.scale)], int(rng.integers(45, 150)), cv2.LINE_AA, 4)
    cv2.fillPoly(mask, [_fixed(body, scene.scale)], 255, cv2.LINE_AA, 4)
    # The plate edge cuts the arc off; only under its middle does glare spill over.
    spill = (
        edge + scene.teeth / 2 + np.float32(4 + 16 * level) * np.exp(-(((scene.x - x) / np.float32(0.55 * wide)) ** 2))
    )
    mask[scene.y > spill] = 0
    soft = cv2.GaussianBlur(mask, (0, 0), (1.2 + 2.5 * level) * scene.scale * 2).astype(np.float32)
    canvas += soft * np.float32(1.6 * (0.75 + 0.25 * level))


def _outline(rng: np.random.Generator, *, ragged: float, erupts: bool) -> Float[np.ndarray, " A"]:
    radius = np.ones_like(_ANGLES)
    for order in range(2, 7):
        radius += ragged / np.sqrt(order) * rng.normal() * np.sin(order * _ANGLES + rng.uniform(0, 6.3))
    if erupts:
        upward = np.clip(-np.sin(_ANGLES), 0, 1)
        radius += upward * rng.uniform(0, 0.9, len(_ANGLES)) * (rng.random(len(_ANGLES)) < 0.5)
    return radius


def _tongue(x: float, y: float, wide: float, rng: np.random.Generator) -> Float[np.ndarray, "P 2"]:
    """Return the plume that licks ahead along the plate and may curl up."""
    along = np.linspace(0, 1, 7)
    reach, rise = wide + rng.uniform(20, 190), rng.uniform(-2, 55) * rng.random()
    spine = np.column_stack((x + reach * along, y + 10 - rise * along**3))
    thickness = 24 * (1 - along) ** 0.7 + 2
    return np.vstack(
        (spine - np.column_stack((0 * along, thickness)), (spine + np.column_stack((0 * along, thickness / 2)))[::-1])
    )


def _fixed(points: Float[np.ndarray, "P 2"], scale: float) -> np.ndarray:
    return np.round(points * scale * 16).astype(np.int32)


def draw_wire(canvas: Canvas, scene: Scene, motion: Motion, i: int, edge: Edge) -> None:
    """Paint the wire: a dark tapering needle against the pool, its two flanks catching the light of the peak."""
    x, y = arc_place(scene, motion, i, edge)
    level, k = float(motion.level[i]), scene.scale
    burning = bool(motion.is_burning[i])
    tip_y = y - (0 if level < 0.3 else 26 * float(motion.arc_size[i])) if burning else y - 62
    above = float(scene.seam_x + motion.torch_x[i])
    wire = np.array([(above - 8, scene.nozzle_y), (above + 8, scene.nozzle_y), (x + 4, tip_y), (x - 4, tip_y)])
    dark = 14.0 + 30 * level
    cv2.fillConvexPoly(canvas, _fixed(wire, k), dark, cv2.LINE_8, 4)
    flank = (55 + 130 * level) if burning else 40.0 * float(motion.heat[i])
    thin = max(1, round(2.4 * k))
    for a, b in ((0, 3), (1, 2)):
        start = wire[a] + (wire[b] - wire[a]) * (0.1 if level > 0.3 else 0.55)
        cv2.line(
            canvas, *(tuple(p) for p in _fixed(np.array([start, wire[b]]), k).tolist()), flank, thin, cv2.LINE_8, 4
        )
    if not burning:
        cv2.circle(canvas, (round(x * k), round(tip_y * k)), max(1, round(13 * k)), 235.0 * float(motion.heat[i]), -1)
