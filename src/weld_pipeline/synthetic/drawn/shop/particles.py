# ruff: noqa: PLR2004 - an image is made of numbers
"""Particles that fly: streaks of spatter, defocused grains close to the lens, and slow drops."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from weld_pipeline.synthetic.drawn.shop.arc import fixed
from weld_pipeline.synthetic.drawn.shop.moment import Moment
from weld_pipeline.synthetic.drawn.shop.scene import bokeh

_WHITE = 255
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
    image: UInt8[np.ndarray, "H W"], moment: Moment, drops: Drops, *, sparks: float, rng: np.random.Generator
) -> None:
    """Paint the particles over `image`, in place.

    Args:
        moment: The frame; fewer streaks fly at the background current.
        drops: Slow drops, already stepped to this frame.
        sparks: Expected number of streaks at the peak.
    """
    k = moment.scene.scale
    layer = np.zeros_like(image)
    for x, y, vx, vy, radius in drops.flying:
        trail = fixed(np.array([(x - vx / 3, y - vy / 3), (x, y)]), k).tolist()
        cv2.line(layer, trail[0], trail[1], 245, max(1, round(2 * radius * k)), cv2.LINE_AA, 4)
    streaks, light = _streaks(rng.poisson(sparks * (0.3 + 0.9 * moment.level)), (moment.arc_x, moment.arc_y), rng)
    ends = fixed(streaks.reshape(-1, 2), k).reshape(-1, 2, 2).tolist()
    for (start, end), grey in zip(ends, light.tolist(), strict=True):
        cv2.line(layer, start, end, grey, 2 if grey == _WHITE and k > 0.4 else 1, cv2.LINE_AA, 4)
    for _ in range(rng.poisson(0.8 + 0.05 * sparks)):
        _stamp(layer, k, rng)
    cv2.max(image, layer, dst=image)


def _streaks(
    n: int, origin: tuple[float, float], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "N 2 2"], Int[np.ndarray, " N"]]:
    """Return start and end [reference px] and brightness of `n` streaks that leave the arc, mostly upwards and ahead."""
    angle = np.where(rng.random(n) < 0.6, rng.normal(-0.5, 0.35, n), rng.uniform(-np.pi, 0, n))
    distance = 85 + 420 * rng.random(n) ** 1.2
    length = rng.uniform(5, 14, n) + distance * rng.uniform(0.0, 0.14, n)
    aim = angle + rng.normal(0, 0.12, n)
    start = np.array(origin) + distance[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    end = start + length[:, None] * np.column_stack((np.cos(aim), np.sin(aim)))
    light = np.where(rng.random(n) < 0.22, _WHITE, rng.integers(60, 230, n))
    return np.stack((start, end), axis=1), light


def _stamp(layer: UInt8[np.ndarray, "H W"], scale: float, rng: np.random.Generator) -> None:
    """Put one defocused grain anywhere on `layer`, in place."""
    radius = max(2, round(rng.choice((6, 9, 12, 18, 28), p=(0.3, 0.3, 0.2, 0.15, 0.05)) * scale))
    disc = (bokeh(radius) * rng.uniform(0.12, 0.38)).astype(np.uint8)
    h, w = layer.shape
    row, column = int(rng.integers(0, h - disc.shape[0])), int(rng.integers(0, w - disc.shape[1]))
    region = layer[row : row + disc.shape[0], column : column + disc.shape[1]]
    cv2.max(region, disc, dst=region)
