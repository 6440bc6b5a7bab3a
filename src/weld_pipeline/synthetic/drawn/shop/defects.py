# ruff: noqa: PLR2004 - an image is made of numbers
"""Defects of a recording: changes that each makes in the movement of a good weld, and why.

A defect changes what its physics changes, so that classes differ in movement and shape and not only in brightness.
`severity` is about 1.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from weld_pipeline.synthetic.drawn.shop.motion import Motion, cooled, good_motion, onset, wave
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES


def weld_motion(
    label: str, *, arc_s: float, fps: float, speed_cpm: float, thickness_mm: float, rng: np.random.Generator
) -> Motion:
    """Return the movement of a weld from ignition to the end of its afterglow.

    Args:
        label: One of `CLASSES`.
        thickness_mm: Plate thickness; a thin plate carries a larger pool.
    """
    motion = good_motion(arc_s=arc_s, fps=fps, speed_cpm=speed_cpm, thickness_mm=thickness_mm, rng=rng)
    if label in _CHANGES:
        motion = _CHANGES[label](motion, float(rng.uniform(0.75, 1.15)), rng)
    return cooled(motion)


def _excessive_penetration(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The arc digs in: it sinks below the surface, and the root glows and breathes under the plate."""
    breathing = 1 + 0.35 * wave(motion.time_s, rng, 3.0, 4.5)
    root = 84 * severity * onset(motion.time_s) * breathing
    return replace(
        motion,
        arc_y=motion.arc_y + 16 * severity,
        arc_size=motion.arc_size * 0.7,
        pool_height=motion.pool_height * 0.66,
        root=root,
        sparks=motion.sparks * 0.6,
    )


def _burnthrough(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The pool swells, collapses through the plate and falls as drops, again and again."""
    cycle = (motion.time_s / rng.uniform(0.55, 0.75) + rng.uniform()) % 1
    swelling = np.clip(cycle / 0.45, 0, 1)
    hole = np.where(cycle > 0.45, np.clip((cycle - 0.45) / 0.12, 0, 1) * np.clip((1 - cycle) / 0.1, 0, 1), 0)
    return replace(
        motion,
        hole=hole,
        pool_height=motion.pool_height * (0.8 + 0.35 * swelling * severity - 0.3 * hole),
        arc_y=motion.arc_y + 42 * hole * severity,
        root=50 * severity * hole,
        drops=np.where((cycle > 0.45) & (cycle < 0.85), 2.6 * severity, 0.05),
        drop_rise=np.full_like(motion.time_s, -6.0),
        # The arc burns into the open hole and is seen less of.
        level=motion.level * (1 - 0.6 * hole),
        arc_size=motion.arc_size * (1 - 0.25 * hole),
        heat=motion.heat * (1 - 0.35 * hole),
    )


def _porosity(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Trapped gas rises as bubbles that grow and burst, and air in the shielding gas makes the arc flicker."""
    flicker = 1 + 0.22 * rng.standard_normal(len(motion.time_s))
    return replace(
        motion,
        bubbles=16 * severity * onset(motion.time_s),
        arc_size=motion.arc_size * np.clip(flicker, 0.5, 1.4),
        pool_height=motion.pool_height * 1.05,
        drops=motion.drops + 0.25 * severity,
    )


def _porosity_with_penetration(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Both at once: bubbles in a pool that has sunk, the root glowing below."""
    return _porosity(_excessive_penetration(motion, severity, rng), severity, rng)


def _undercut(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """A long arc whips from side to side and cuts notches along the toe that the metal does not fill."""
    whip = wave(motion.time_s, rng, 4.5, 6.5)
    return replace(
        motion,
        arc_x=motion.arc_x + 62 * severity * whip,
        arc_y=motion.arc_y - 28 * severity,
        torch_x=motion.torch_x + 12 * whip,
        arc_size=motion.arc_size * 1.12,
        groove=severity * onset(motion.time_s),
        flow=motion.flow * 1.6,
    )


def _overlap(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Too much metal too cold: it rolls over the toe in lobes that hang below the edge and creep backwards."""
    return replace(
        motion,
        sag=severity * onset(motion.time_s, 0.4) * (70 + 14 * wave(motion.time_s, rng, 1.2, 2.0)),
        pool_height=motion.pool_height * 1.12,
        pool_length=motion.pool_length * 1.1,
        heat=motion.heat * 0.92,
        flow=motion.flow * 0.5,
    )


def _lack_of_fusion(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The arc runs off the seam: it drifts ahead of a small cold pool, with a dark gap between them."""
    drift = 0.75 + 0.35 * wave(motion.time_s, rng, 0.7, 1.2)
    away = 95 * severity * onset(motion.time_s) * drift
    return replace(
        motion,
        arc_x=motion.arc_x + away,
        torch_x=motion.torch_x + away,
        gap=away * 0.95,
        pool_length=motion.pool_length * 0.62,
        pool_height=motion.pool_height * 0.62,
        heat=motion.heat * 0.72,
        flow=motion.flow * 0.5,
    )


def _excessive_convexity(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Cold and overfed: the crown swells to a dome that rocks on the seam instead of wetting it."""
    rocking = 1 + 0.25 * wave(motion.time_s, rng, 1.8, 2.6)
    return replace(
        motion,
        dome=62 * severity * onset(motion.time_s, 0.5) * rocking,
        pool_length=motion.pool_length * 0.8,
        arc_y=motion.arc_y - 12 * severity * onset(motion.time_s, 0.5),
        arc_size=motion.arc_size * 0.85,
        flow=motion.flow * 0.6,
    )


def _spatter(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Short circuits explode: the arc jumps in size and throws fans of streaks and slow drops."""
    explosion = np.convolve(rng.uniform(size=len(motion.time_s)) < 0.3, (1.0, 0.55, 0.25))[: len(motion.time_s)]
    return replace(
        motion,
        sparks=motion.sparks + severity * (28 + 85 * explosion),
        drops=motion.drops + severity * (0.5 + 0.9 * explosion),
        drop_rise=motion.drop_rise + 8,
        arc_size=motion.arc_size * (0.85 + 0.45 * np.minimum(explosion, 1.2)),
        level=np.maximum(motion.level, np.minimum(explosion, 1) * 0.9),
    )


def _warping(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Shrinkage bends the plate: its edge lifts and tilts, and springs in its clamps."""
    side = rng.choice((-1.0, 1.0))
    bend = onset(motion.time_s, 0.6)
    spring = 0.4 * wave(motion.time_s, rng, 2.2, 3.2)
    return replace(motion, tilt=side * 0.23 * severity * (bend + spring), lift=58 * severity * (bend + 0.7 * spring))


def _crater_cracks(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The current is cut too early: the arc stutters, the pool draws back to a crater, and cracks open in it."""
    end_s = motion.time_s[motion.is_burning][-1]
    closing = np.clip((motion.time_s / end_s - rng.uniform(0.2, 0.3)) / 0.5, 0, 1) * min(severity, 1.0)
    stutter = (motion.time_s * rng.uniform(3.5, 5) + rng.uniform()) % 1 < 0.45 * np.minimum(2 * closing, 1)
    return replace(
        motion,
        crater=closing,
        level=np.where(stutter, 0.02, motion.level * (1 - 0.3 * closing)),
        arc_size=motion.arc_size * (1 - 0.5 * closing),
        pool_length=motion.pool_length * (1 - 0.35 * closing),
        sparks=motion.sparks * (1 - 0.8 * closing),
        flow=motion.flow * (1 - 0.9 * closing),
    )


_CHANGES: dict[str, Callable[[Motion, float, np.random.Generator], Motion]] = dict(
    zip(
        CLASSES[1:],
        (
            _excessive_penetration,
            _burnthrough,
            _porosity,
            _porosity_with_penetration,
            _undercut,
            _overlap,
            _lack_of_fusion,
            _excessive_convexity,
            _spatter,
            _warping,
            _crater_cracks,
        ),
        strict=True,
    )
)
