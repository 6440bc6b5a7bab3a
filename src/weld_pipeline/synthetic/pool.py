"""The weld pool behind the arc, and what defects do to it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from weld_pipeline.synthetic.motion import Motion
from weld_pipeline.synthetic.scene import Scene

Canvas = Float[np.ndarray, "H W"]


@dataclass
class Bubbles:
    """Gas pores in the pool; each lives for a few frames, grows, and bursts.

    Attributes:
        pores: Row per pore: place along the pool 0..1, height in it 0..1, age, life [frames], radius [px].
    """

    pores: Float[np.ndarray, "N 5"]

    def step(self, expected: float, rng: np.random.Generator) -> None:
        """Age the pores by a frame and let new ones rise until about `expected` are there."""
        self.pores[:, 2] += 1
        self.pores = self.pores[self.pores[:, 2] < self.pores[:, 3]]
        n_new = rng.poisson(expected / 6)
        born = np.column_stack(
            (
                rng.uniform(0.15, 0.85, n_new),
                rng.uniform(0.3, 0.85, n_new),
                np.zeros(n_new),
                rng.integers(4, 10, n_new),
                rng.uniform(9, 19, n_new),
            )
        )
        self.pores = np.vstack((self.pores, born))


def draw_pool(
    canvas: Canvas, scene: Scene, motion: Motion, i: int, edge: Float[np.ndarray, " W"], pores: Bubbles
) -> None:
    """Paint the pool of frame `i` over `canvas`, in place.

    Args:
        canvas: Light so far [grey levels].
        scene: The set-up.
        motion: The movement.
        i: Frame.
        edge: The plate edge now.
        pores: Gas pores, already stepped to this frame.
    """
    front = scene.seam_x + motion.arc_x[i] + 36 - (motion.gap[i] + 30 if motion.gap[i] > 0 else 0)
    length, height = motion.pool_length[i], motion.pool_height[i]
    left, right = np.searchsorted(scene.x, (front - 1.15 * length, front + 4))
    if right - left < 4:
        return
    u = (front - scene.x[left:right]) / length  # [w]: 0 at the front, 1 at the tail
    crown = _crown(u, height, motion.dome[i])
    bottom = edge[left:right] + scene.teeth[left:right] + _lobes(u, motion, i)
    top = edge[left:right] - crown
    upper, lower = np.searchsorted(scene.y[:, 0], (top.min() - 16, bottom.max() + 6))
    y = scene.y[upper:lower]
    depth = (bottom - y) / (bottom - top + 1)  # [h w]: 0 at the edge, 1 at the surface
    light = _surface(u, depth, scene, motion, i, (upper, left))
    cover = np.clip((y - top) / (3 + 16 * u**2) + 0.5, 0, 1) * np.clip((bottom - y) / 2 + 0.5, 0, 1)
    cover *= np.clip((1.1 - u) / 0.42, 0, 1)
    place = _Place(scene, front, length, upper, left, edge, crown, u)
    _pierce(light, place, motion, i, pores)
    region = canvas[upper:lower, left:right]
    light = np.maximum(light * np.float32(motion.heat[i] * scene.exposure), 8)
    region += cover * (light - region)


@dataclass(frozen=True)
class _Place:
    """Where the pool's patch of canvas lies, to turn places in the pool into pixels."""

    scene: Scene
    front: float
    length: float
    upper: int
    left: int
    edge: Float[np.ndarray, " W"]
    crown: Float[np.ndarray, " w"]
    u: Float[np.ndarray, " w"]

    def pixel(self, u: float, v: float) -> tuple[int, int]:
        column = int(np.clip((self.front - u * self.length) * self.scene.scale, self.left, self.left + len(self.u) - 1))
        y = self.edge[column] - v * self.crown[column - self.left]
        return column - self.left, int(y * self.scene.scale) - self.upper

    def pixels(self, length: float) -> int:
        return max(1, round(length * self.scene.scale))


def _crown(u: Float[np.ndarray, " w"], height: float, dome: float) -> Float[np.ndarray, " w"]:
    """Return the height of the surface: round in front, long and falling behind, with the dome on top."""
    nose = np.sqrt(np.clip(1 - (1 - np.clip((u + 0.02) / 0.16, 0, 1)) ** 2, 0, 1))
    body = height * nose * (1 - 0.42 * np.clip(u, 0, 1.2) ** 2)
    return np.maximum(body + dome * nose * np.exp(-(((u - 0.42) / 0.3) ** 2)), 1.0)


def _lobes(u: Float[np.ndarray, " w"], motion: Motion, i: int) -> Float[np.ndarray, " w"]:
    """Return how far metal hangs over the edge: lobes that creep towards the tail."""
    if motion.sag[i] <= 0:
        return np.zeros_like(u)
    creep = np.clip(np.sin(2 * np.pi * (2.3 * u - 0.9 * motion.time_s[i])), -0.2, 1)
    ends = np.clip(u / 0.1, 0, 1) * np.clip((0.95 - u) / 0.2, 0, 1)
    return motion.sag[i] * (0.45 + 0.55 * creep) * ends


def _surface(u, depth, scene: Scene, motion: Motion, i: int, origin: tuple[int, int]) -> Float[np.ndarray, "h w"]:
    """Return the pool's own light: hot near the arc, a bright rim at the toe, eddies carried by the flow."""
    h, w = depth.shape
    carried = int(np.sum(motion.flow[: i + 1]) * scene.scale)
    rows = (np.arange(h) * 2 + origin[0]) % scene.grain.shape[0]
    columns = (np.arange(w) + origin[1] + carried) % scene.grain.shape[1]
    eddies = scene.grain[rows[:, None], columns[None, :]]
    glow = 0.55 + 0.45 * motion.level[i] if motion.is_burning[i] else 0.0
    hot = 165 * glow * np.exp(-((u / 0.24) ** 2)) if motion.gap[i] <= 0 else 30 * glow * np.exp(-((u / 0.2) ** 2))
    rim = 38 * np.exp(-(((depth - 0.86) / 0.13) ** 2))
    liveliness = 26 if motion.is_burning[i] else 7
    light = (104 + 30 * glow) * (1 - 0.4 * np.clip(u, 0, 1)) + hot + rim + liveliness * eddies * (1.15 - 0.6 * u)
    if motion.groove[i] > 0:
        teeth = np.clip(0.55 + 0.8 * np.sin(2 * np.pi * (4.2 * u - 1.7 * motion.time_s[i])), 0, 1)
        notch = np.clip(motion.groove[i], 0, 1) * teeth * np.exp(-(((depth - 0.72) / 0.2) ** 2)) * (u > 0.16)
        light = light * (1 - 0.95 * np.clip(notch, 0, 1))
    return light.astype(np.float32)


def _pierce(light: Float[np.ndarray, "h w"], place: _Place, motion: Motion, i: int, pores: Bubbles) -> None:
    """Draw what sits in the pool: slag, pores, a burnt hole, the crater and its cracks."""
    px = place.pixels
    cv2.ellipse(light, place.pixel(0.78, 0.62), (px(15), px(9)), 10, 0, 360, 165.0, -1)
    cv2.ellipse(light, place.pixel(0.78, 0.62), (px(16), px(10)), 10, 0, 360, 190.0, 1)
    for u, v, age, life, radius in pores.pores:
        grown = px(radius * min(1.0, 0.35 + age / life))
        if age >= life - 1:  # it bursts: a flash the size of the pore
            cv2.circle(light, place.pixel(u, v), grown, 255.0, -1)
            continue
        cv2.circle(light, place.pixel(u, v), grown, 40.0, -1)
        cv2.circle(light, place.pixel(u, v), grown, 235.0, px(3))
    if motion.hole[i] > 0:
        axes = (px(66 * motion.hole[i]), px(34 * motion.hole[i]))
        cv2.ellipse(light, place.pixel(0.4, 0.42), axes, 0, 0, 360, 230.0, px(8))
        cv2.ellipse(light, place.pixel(0.4, 0.42), axes, 0, 0, 360, 4.0, -1)
    if motion.crater[i] > 0:
        _crater(light, place, float(motion.crater[i]))


def _crater(light: Float[np.ndarray, "h w"], place: _Place, opening: float) -> None:
    px = place.pixels
    centre = place.pixel(0.36, 0.5)
    cv2.ellipse(light, centre, (px(62 * opening), px(25 * opening)), 0, 0, 360, 32.0, -1)
    cv2.ellipse(light, centre, (px(62 * opening), px(25 * opening)), 0, 0, 360, 185.0, px(4))
    for angle in np.deg2rad((8, 62, 118, 171, 236, 300)):
        tip = (centre[0] + px(74 * opening) * np.cos(angle), centre[1] + px(30 * opening) * np.sin(angle))
        cv2.line(light, centre, (int(tip[0]), int(tip[1])), 6.0, px(5))
