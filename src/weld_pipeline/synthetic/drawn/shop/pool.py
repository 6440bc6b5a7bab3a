# ruff: noqa: PLR2004 - an image is made of numbers
"""Pool behind the arc, and its defects."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from weld_pipeline.synthetic.drawn.shop.moment import Moment
from weld_pipeline.synthetic.drawn.shop.scene import Canvas


@dataclass
class Bubbles:
    """Gas pores in the pool; each lives for a few frames, grows, and bursts.

    Attributes:
        pores: A row a pore: place along the pool 0..1, height in it 0..1, age, life [frames], radius [reference px].
    """

    pores: Float[np.ndarray, "N 5"]

    def step(self, expected: float, rng: np.random.Generator) -> None:
        """Age the pores by a frame and let new ones rise, so that about `expected` are there."""
        self.pores[:, 2] += 1
        self.pores = self.pores[self.pores[:, 2] < self.pores[:, 3]]
        n_new = rng.poisson(expected / 6)
        born = (
            rng.uniform(0.15, 0.85, n_new),
            rng.uniform(0.3, 0.85, n_new),
            np.zeros(n_new),
            rng.integers(4, 10, n_new),
            rng.uniform(10, 21, n_new),
        )
        self.pores = np.vstack((self.pores, np.column_stack(born)))


@dataclass(frozen=True)
class _Place:
    """Place of the pool on the canvas.

    Attributes:
        front: Position of its front [reference px].
        left: First column of its patch.
        upper: First row of its patch.
        u: Place along the pool in each column, 0 at the front, 1 at the tail.
        crown: Height of the surface above the edge in each column [reference px].
    """

    moment: Moment
    front: float
    left: int
    upper: int
    u: Float[np.ndarray, " w"]
    crown: Float[np.ndarray, " w"]

    def pixel(self, u: float, v: float) -> tuple[int, int]:
        """Return the pixel of the patch at `u` along the pool and `v` of its height."""
        k = self.moment.scene.scale
        column = int(np.clip((self.front - u * self.moment.pool_length) * k, self.left, self.left + len(self.u) - 1))
        y = self.moment.edge[column] - v * self.crown[column - self.left]
        return column - self.left, int(y * k) - self.upper

    def pixels(self, length: float) -> int:
        """Return a length in pixels of the canvas, at least one."""
        return max(1, round(length * self.moment.scene.scale))


def draw_pool(canvas: Canvas, moment: Moment, bubbles: Bubbles) -> None:
    """Paint the pool over `canvas`, in place.

    Args:
        canvas: Light so far [pixel values].
        bubbles: Gas pores, already stepped to this frame.
    """
    scene = moment.scene
    front = moment.arc_x + (36 if moment.gap <= 0 else 6 - moment.gap)
    left, right = np.searchsorted(scene.x, (front - 1.15 * moment.pool_length, front + 4))
    if right - left < 4:
        return
    u = (front - scene.x[left:right]) / moment.pool_length
    crown = _crown(u, moment.pool_height, moment.dome)
    top = moment.edge[left:right] - crown
    bottom = moment.edge[left:right] + scene.teeth[left:right] + _lobes(u, moment)
    upper, lower = np.searchsorted(scene.y[:, 0], (top.min() - 16, bottom.max() + 6))
    y = scene.y[upper:lower]
    light = _surface(u, (bottom - y) / (bottom - top + 1), moment)
    _pierce(light, _Place(moment, front, int(left), int(upper), u, crown), bubbles)
    light = np.maximum(light * np.float32(moment.heat * scene.exposure), 8)
    cover = np.clip((y - top) / (4 + 18 * u**2) + 0.5, 0, 1) * np.clip((bottom - y) / 2 + 0.5, 0, 1)
    cover *= np.clip((1.12 - u) / 0.5, 0, 1)
    region = canvas[upper:lower, left:right]
    region += cover * (light - region)


def _crown(u: Float[np.ndarray, " w"], height: float, dome: float) -> Float[np.ndarray, " w"]:
    """Return the height of the surface: round in front, long and falling behind, with the dome on top."""
    nose = np.sqrt(np.clip(1 - (1 - np.clip((u + 0.02) / 0.16, 0, 1)) ** 2, 0, 1))
    body = height * nose * (1 - 0.3 * np.clip(u, 0, 1.2) ** 2)
    swelling = dome * nose * np.exp(-(((u - 0.42) / 0.3) ** 2))
    return np.maximum(body + swelling, 1).astype(np.float32)


def _lobes(u: Float[np.ndarray, " w"], moment: Moment) -> Float[np.ndarray, " w"]:
    """Return how far metal hangs over the edge: lobes that creep towards the tail."""
    creep = np.clip(np.sin(2 * np.pi * (2.3 * u - 0.9 * moment.time_s)), -0.2, 1)
    ends = np.clip(u / 0.1, 0, 1) * np.clip((0.95 - u) / 0.2, 0, 1)
    return (moment.sag * (0.45 + 0.55 * creep) * ends).astype(np.float32)


def _surface(u: Float[np.ndarray, " w"], depth: Float[np.ndarray, "h w"], moment: Moment) -> Float[np.ndarray, "h w"]:
    """Return the pool's own light: hot near the arc, a bright rim at the toe, eddies carried by the flow.

    Args:
        u: Place along the pool, 0 at the front.
        depth: Place across it, 0 at the plate edge, 1 at the surface.
    """
    h, w = depth.shape
    grain = moment.scene.grain
    rows = (2 * np.arange(h)) % grain.shape[0]
    columns = (np.arange(w) + int(moment.carried * moment.scene.scale)) % grain.shape[1]
    eddies = grain[rows[:, None], columns[None, :]]
    glow = 0.55 + 0.45 * moment.level if moment.is_burning else 0.0
    hot, reach = (165, 0.24) if moment.gap <= 0 else (30, 0.2)
    liveliness = 0.14 if moment.is_burning else 0.05
    along = (112 + 62 * glow) * (1 - 0.3 * np.clip(u, 0, 1))
    flames = hot * glow * np.exp(-((u / reach) ** 2)) * np.clip(1 + 0.8 * eddies, 0, None)
    rim = 22 * np.exp(-(((depth - 0.88) / 0.12) ** 2))
    light = along * (1 + liveliness * eddies) + flames + rim
    if moment.groove > 0:
        teeth = np.clip(0.55 + 0.8 * np.sin(2 * np.pi * (4.2 * u - 1.7 * moment.time_s)), 0, 1) * (u > 0.16)
        notch = moment.groove * teeth * np.exp(-(((depth - 0.7) / 0.27) ** 2))
        light = light * (1 - 0.95 * np.clip(notch, 0, 1))
    return light.astype(np.float32)


def _pierce(light: Float[np.ndarray, "h w"], place: _Place, bubbles: Bubbles) -> None:
    """Draw the contents of the pool, in place: slag, pores, a burnt hole, the crater and its cracks."""
    px, moment = place.pixels, place.moment
    slag = place.pixel(0.78, 0.62)
    cv2.ellipse(light, slag, (px(15.0), px(8.0)), 12, 0, 360, 150, -1)
    cv2.ellipse(light, slag, (px(15.0), px(8.0)), 12, 100, 300, 205, 1)
    for u, v, age, life, radius in bubbles.pores:
        centre, grown = place.pixel(u, v), px(radius * min(1.0, 0.35 + age / life))
        if age >= life - 1:  # it bursts: a flash the size of the pore
            cv2.circle(light, centre, grown, 255, -1)
        else:
            cv2.circle(light, centre, grown, 40, -1)
            cv2.circle(light, centre, grown, 235, px(3.0))
    if moment.hole > 0:
        axes = (px(88 * moment.hole), px(40 * moment.hole))
        cv2.ellipse(light, place.pixel(0.4, 0.42), axes, 0, 0, 360, 230, px(8.0))
        cv2.ellipse(light, place.pixel(0.4, 0.42), axes, 0, 0, 360, 4, -1)
    if moment.crater > 0:
        _open_crater(light, place)


def _open_crater(light: Float[np.ndarray, "h w"], place: _Place) -> None:
    px, opening = place.pixels, place.moment.crater
    centre = place.pixel(0.36, 0.5)
    cv2.ellipse(light, centre, (px(62 * opening), px(25 * opening)), 0, 0, 360, 32, -1)
    cv2.ellipse(light, centre, (px(62 * opening), px(25 * opening)), 0, 0, 360, 185, px(4.0))
    for angle in np.deg2rad((8, 62, 118, 171, 236, 300)):
        tip = (int(centre[0] + px(74 * opening) * np.cos(angle)), int(centre[1] + px(30 * opening) * np.sin(angle)))
        cv2.line(light, centre, tip, 6, px(5.0))
