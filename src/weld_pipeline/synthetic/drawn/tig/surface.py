# ruff: noqa: PLR2004 - an image is made of numbers
"""Surface of plate, pool and bead in one TIG frame, as heights, brightness and gloss."""

from dataclasses import dataclass

import cv2
import numpy as np

from weld_pipeline.synthetic.drawn.surfaces.relief import Field, clouds
from weld_pipeline.synthetic.drawn.tig.pool import Pool
from weld_pipeline.synthetic.drawn.tig.view import Camera, View


@dataclass
class Surface:
    """Surface under the arc; changed in place while it is built.

    Attributes:
        height: Height [reference px].
        albedo: Share of light thrown back.
        gloss: Strength of mirror images.
        glow: Light of its own [pixel values].
    """

    height: Field
    albedo: Field
    gloss: Field
    glow: Field


def make_surface(view: View, pool: Pool, camera: Camera, *, is_bright: bool, rng: np.random.Generator) -> Surface:
    """Return the surface of a frame."""
    liquid = np.clip((1 - view.q) / 0.06 + 0.5, 0, 1)
    surface = _plate(view, camera, is_bright=is_bright, rng=rng)
    _lay_bead(surface, view, pool, liquid, rng)
    _open_joint(surface, view, pool, liquid)
    _fill_pool(surface, view, pool, liquid, rng)
    for strength, paint in (
        (pool.layers, _lay_tongues),
        (pool.wrinkles, _crease_skin),
        (pool.humps, _raise_humps),
        (pool.hole, _burn_hole),
        (pool.slag, _float_slag),
        (pool.pits, _open_pits),
    ):
        if strength > 0:
            paint(surface, view, pool, rng)
    return surface


def _plate(view: View, camera: Camera, *, is_bright: bool, rng: np.random.Generator) -> Surface:
    """Return the plate: grain that the arc lights from the side; aluminium is brighter and etched around the pool."""
    px = camera.grain_px
    grain = clouds(view.shape, size=view.size(px, px * 0.6), rng=rng)
    rolled = clouds(view.shape, size=view.size(260.0, 9.0), rng=rng)
    patchy = clouds(view.shape, size=view.size(220.0, 110.0), rng=rng)
    height = camera.grain * (1.3 * grain * np.clip(0.9 + 0.4 * patchy, 0.2, 2) + 0.7 * rolled)
    albedo = np.full(view.shape, 0.62 if is_bright else 0.4, np.float32)
    albedo += 0.04 * patchy
    gloss = np.full(view.shape, 0.25, np.float32)
    if is_bright:  # the arc strips the oxide off aluminium in a frosted band with an edge
        etched = np.clip((1.75 - view.q) / 0.1, 0, 1)
        albedo += 0.3 * etched + 0.05 * etched * grain
    return Surface(height.astype(np.float32), albedo, gloss, np.zeros(view.shape, np.float32))


def _lay_bead(surface: Surface, view: View, pool: Pool, liquid: Field, rng: np.random.Generator) -> None:
    """Raise the bead behind the pool, its ripples the shapes of earlier tails, and the toe around the liquid."""
    across = np.clip(1 - (view.v / (0.95 * pool.half_width)) ** 2, 0, 1)
    bead = across * np.clip(view.u / 120, 0, 1) * (1 - liquid)
    uneven = clouds(view.shape, size=view.size(160.0, 120.0), rng=rng)
    tail = view.u + 0.5 * pool.behind * (1 - np.sqrt(across)) + 9 * uneven
    ripples = np.sin(tail * np.float32(2 * np.pi / 26)) + 0.5 * np.sin(tail * np.float32(2 * np.pi / 11))
    surface.height *= 1 - 0.85 * np.maximum(bead, liquid)
    surface.height += bead * (
        14 * np.sqrt(across) + 2.4 * pool.ripple * ripples * np.clip(0.7 + 0.4 * uneven, 0.1, 1.5)
    )
    surface.height += 6 * pool.rim * np.exp(-(((view.q - 1.05) / 0.06) ** 2)).astype(np.float32)
    surface.gloss += 0.3 * bead


def _open_joint(surface: Surface, view: View, pool: Pool, liquid: Field) -> None:
    """Cut the joint into the plate ahead of the arc, and behind it as far as the class leaves it open."""
    off = view.v - pool.shift + 0.02 * view.u
    line = np.exp(-((off / 7) ** 2))
    depth = np.where(view.u < -0.5 * pool.ahead, 0.35, pool.joint)
    # A joint beside the pool lies open along all of it; one under the pool is hidden by the liquid.
    depth = np.where(pool.shift > 0, np.maximum(depth, pool.joint), depth * (1 - liquid))
    surface.albedo *= 1 - np.clip(0.9 * depth * line, 0, 0.95)
    surface.height -= (10 * depth * line).astype(np.float32)


def _fill_pool(surface: Surface, view: View, pool: Pool, liquid: Field, rng: np.random.Generator) -> None:
    """Fill the pool: dark and smooth, the light of the arc lying on it as a wide patch."""
    flow = clouds(view.shape, size=view.size(170.0, 60.0), rng=rng)
    surface.height *= 1 - liquid
    surface.height += 1.6 * liquid * flow
    surface.albedo += liquid * (0.2 + 0.03 * flow - surface.albedo)
    surface.gloss += liquid * (0.5 * pool.mirror - surface.gloss)
    patch = np.exp(-((view.u / 150) ** 2) - ((view.v + 40) / 110) ** 2)
    surface.glow += 78 * pool.arc * pool.mirror * liquid * patch * (1 + 0.12 * flow)


def _lay_tongues(surface: Surface, view: View, pool: Pool, rng: np.random.Generator) -> None:
    """Lay cold tongues of metal across the pool: bright straight edges, dark gaps below them."""
    inside = np.clip((1.25 - view.q) / 0.2, 0, 1)
    for number in range(3):
        middle = (-45, 20, 75)[number] + rng.normal(0, 8)
        bend = 18 * np.sin(view.u / rng.uniform(110, 190) + rng.uniform(0, 6.3)) * (number > 0)
        below = view.v - middle - bend
        reach = np.exp(-(((view.u - rng.uniform(20, 190)) / rng.uniform(130, 230)) ** 2)) * inside * pool.layers
        sheet = np.clip(below / 4, 0, 1) * np.exp(-np.clip(below, 0, None) / 38)
        gap = np.exp(-(((below + 7) / 8) ** 2))
        surface.glow += (95, 60, 40)[number] * reach * sheet
        surface.albedo *= 1 - np.clip(0.85 * reach * gap, 0, 0.95)
        surface.glow *= 1 - np.clip(0.5 * reach * gap, 0, 0.95)


def _crease_skin(surface: Surface, view: View, pool: Pool, rng: np.random.Generator) -> None:
    """Cover the pool with an oxide skin that creases across the flow."""
    fine = clouds(view.shape, size=view.size(60.0, 13.0), rng=rng)
    coarse = clouds(view.shape, size=view.size(90.0, 40.0), rng=rng)
    cover = np.clip((1.35 - view.q) / 0.5, 0, 1) * pool.wrinkles
    surface.height += cover * (5 * fine + 9 * coarse)
    surface.albedo += cover * (0.18 + 0.1 * fine)
    surface.gloss *= 1 - 0.7 * np.clip(cover, 0, 1)


def _raise_humps(surface: Surface, view: View, pool: Pool, rng: np.random.Generator) -> None:
    """Set humps behind the pool, a dark hollow after each."""
    along = np.arange(1400, dtype=np.float32)
    hump, hollow, off = np.zeros_like(along), np.zeros_like(along), np.zeros_like(along)
    place = 0.5 * pool.behind
    while place < along[-1]:
        long = rng.uniform(45, 85)
        hump = np.maximum(hump, rng.uniform(0.7, 1) * np.exp(-(((along - place) / long) ** 4)))
        hollow = np.maximum(hollow, np.exp(-(((along - place - 1.2 * long) / (0.45 * long)) ** 2)))
        off += rng.normal(0, 12) * np.exp(-(((along - place) / 60) ** 2))
        place += long * rng.uniform(2.1, 2.8)
    at = np.clip(view.u, 0, along[-1]).astype(np.int32)  # as `u` changes slowly, a table is as good as the functions
    wide = 0.62 * pool.half_width
    across = np.exp(-(((view.v - off[at]) / wide) ** 2))
    surface.height += pool.humps * across * (34 * hump - 30 * hollow)[at].astype(np.float32)
    surface.albedo *= 1 - np.clip(0.8 * pool.humps * across * hollow[at], 0, 0.95)
    surface.gloss += 1.6 * pool.humps * across * hump[at]


def _burn_hole(surface: Surface, view: View, pool: Pool, rng: np.random.Generator) -> None:
    """Open the pool: the far side of the hole is lit evenly from below, a strand of metal hangs across, and it drips."""
    edge = 0.06 * clouds(view.shape, size=view.size(90.0, 60.0), rng=rng)
    middle = 0.3 * pool.behind
    radius = np.sqrt(((view.u - middle) / (0.72 * pool.behind)) ** 2 + ((view.v + 30) / (0.62 * pool.half_width)) ** 2)
    hole = np.clip((1 - radius + edge) / 0.05, 0, 1) * min(pool.hole, 1.0)
    deep = np.clip((view.v + 62 + 0.1 * view.u) / 10, 0, 1)
    light = 105 * np.exp(-np.clip(view.u, 0, None) / 330) * (1 - deep) + deep * (
        14 + 45 * np.exp(-np.abs(view.u) / 120)
    )
    for _ in range(int(rng.integers(1, 4))):
        bent = view.u - rng.uniform(0.15, 0.8) * pool.behind + (0.012 * view.v) * (view.v + rng.uniform(-60, 60))
        strand = np.clip(1.1 - np.abs(bent / rng.uniform(12, 55)), 0, 1)
        light += np.clip(8 * strand, 0, 1) * (22 + 40 * strand - light) * 0.8
    lip = np.exp(-(((radius - edge - 1.03) / 0.035) ** 2)) * pool.hole
    surface.glow += hole * (light - surface.glow) + 45 * lip * np.exp(-np.abs(view.u) / 300)
    surface.albedo *= 1 - hole
    surface.gloss *= 1 - hole


def _float_slag(surface: Surface, view: View, pool: Pool, rng: np.random.Generator) -> None:
    """Float crusts on pool and toe: crumbs as white as ceramic near the arc, a dark shadow beside them."""
    rough = clouds(view.shape, size=view.size(34.0, 24.0), rng=rng) + 0.6 * clouds(
        view.shape, size=view.size(13.0, 10.0), rng=rng
    )
    for _ in range(int(rng.integers(2, 5))):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.05)
        reach = pool.behind if np.cos(angle) > 0 else pool.ahead
        u, v = float(far * reach * np.cos(angle)), float(far * pool.half_width * abs(np.sin(angle)))
        radius = np.hypot((view.u - u) / rng.uniform(70, 190), (view.v - v) / rng.uniform(35, 75))
        crust = np.clip((1 + 0.16 * rough - radius) / 0.12, 0, 1) * min(pool.slag, 1.0)
        shadow = np.exp(-((np.hypot((view.u - u - 40) / 130, (view.v - v - 30) / 55)) ** 2))
        surface.albedo *= 1 - 0.5 * shadow * pool.slag
        surface.height += crust * (13 + 7 * rough)
        surface.albedo += crust * (np.clip(0.6 + 0.25 * rough, 0.05, 1.2) - surface.albedo)
        surface.gloss *= 1 - 0.8 * crust
        surface.glow *= 1 - 0.8 * crust


def _open_pits(surface: Surface, view: View, pool: Pool, rng: np.random.Generator) -> None:
    """Open pores in and beside the bead."""
    h, w = view.shape
    for radius in (4, 7):
        spots = np.zeros(view.shape, np.float32)
        n = rng.poisson(45 * pool.pits)
        spots[rng.integers(0, h, n), rng.integers(0, w, n)] = 1
        sigma = radius * view.scale
        pits = cv2.GaussianBlur(spots, (0, 0), sigma) * (2 * np.pi * sigma**2) * (view.q < 2.2) * (view.u > 0)
        surface.height -= 12 * pits
        surface.albedo *= 1 - np.clip(0.7 * pits, 0, 0.9)
