"""What flies: streaks of spatter, defocused grains close to the lens, and slow drops."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from weld_pipeline.synthetic.scene import Scene, bokeh

_GRAVITY = 1.6  # px/frame², drops of a few millimetres as they look on the recording


@dataclass
class Drops:
    """Molten drops on their way: a row each of x, y, speed x, speed y, radius [reference px, px/frame]."""

    flying: Float[np.ndarray, "N 5"]

    def step(self, expected: float, rise: float, origin: tuple[float, float], rng: np.random.Generator) -> None:
        """Move all drops by a frame and throw about `expected` new ones from `origin`, upwards at about `rise`."""
        self.flying[:, 3] += _GRAVITY
        self.flying[:, :2] += self.flying[:, 2:4]
        self.flying = self.flying[(self.flying[:, 1] < 620) & (self.flying[:, 1] > -80)]
        n_new = rng.poisson(expected)
        born = np.column_stack(
            (
                origin[0] + rng.normal(0, 16, n_new),
                np.full(n_new, origin[1] + (20 if rise < 0 else 0)),
                rng.normal(0, 8 if rise > 0 else 2.5, n_new),
                -rise * rng.uniform(0.7, 1.3, n_new),
                rng.uniform(2.5, 6.5, n_new),
            )
        )
        self.flying = np.vstack((self.flying, born))


def draw_particles(
    image: UInt8[np.ndarray, "H W"],
    scene: Scene,
    drops: Drops,
    *,
    sparks: float,
    level: float,
    origin: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """Paint everything that flies over `image`, in place.

    Args:
        image: The canvas.
        scene: The set-up.
        drops: Slow drops, already stepped to this frame.
        sparks: Expected number of streaks.
        level: Pulse phase of the arc; fewer streaks fly in its background phase.
        origin: Where the arc burns [reference px].
        rng: Source of variation.
    """
    layer = np.zeros_like(image)
    for x, y, vx, vy, radius in drops.flying:
        start, end = _fixed(x - vx / 3, y - vy / 3, scene.scale), _fixed(x, y, scene.scale)
        cv2.line(layer, start, end, 245, max(1, round(2 * radius * scene.scale)), cv2.LINE_AA, 4)
    for start, end, light in _streaks(rng.poisson(sparks * (0.3 + 0.9 * level)), origin, rng):
        thick = 2 if light == 255 and scene.scale > 0.4 else 1
        cv2.line(layer, _fixed(*start, scene.scale), _fixed(*end, scene.scale), light, thick, cv2.LINE_AA, 4)
    for _ in range(rng.poisson(0.8 + 0.05 * sparks)):
        _stamp(layer, scene, rng)
    cv2.max(image, layer, dst=image)


def _streaks(n: int, origin: tuple[float, float], rng: np.random.Generator) -> list[tuple]:
    """Return start, end and brightness of `n` streaks that leave the arc, mostly upwards and ahead."""
    angle = np.where(rng.random(n) < 0.6, rng.normal(-0.5, 0.35, n), rng.uniform(-np.pi, 0, n))
    distance = 85 + 420 * rng.random(n) ** 1.2
    length = rng.uniform(5, 14, n) + distance * rng.uniform(0.0, 0.14, n)
    aim = angle + rng.normal(0, 0.12, n)
    x, y = origin[0] + distance * np.cos(angle), origin[1] + distance * np.sin(angle)
    light = np.where(rng.random(n) < 0.22, 255, rng.integers(60, 230, n))
    tips = np.stack((x + length * np.cos(aim), y + length * np.sin(aim)), 1)
    return [((a, b), (c, d), int(v)) for a, b, (c, d), v in zip(x, y, tips, light, strict=True)]


def _stamp(layer: UInt8[np.ndarray, "H W"], scene: Scene, rng: np.random.Generator) -> None:
    radius = max(2, round(rng.choice((6, 9, 12, 18, 28), p=(0.3, 0.3, 0.2, 0.15, 0.05)) * scene.scale))
    disc = (bokeh(radius).astype(np.float32) * rng.uniform(0.12, 0.38)).astype(np.uint8)
    h, w = layer.shape
    row, column = int(rng.integers(0, h - disc.shape[0])), int(rng.integers(0, w - disc.shape[1]))
    region = layer[row : row + disc.shape[0], column : column + disc.shape[1]]
    cv2.max(region, disc, dst=region)


def _fixed(x: float, y: float, scale: float) -> tuple[int, int]:
    return round(x * scale * 16), round(y * scale * 16)
