# ruff: noqa: PLR2004 - a picture is made of numbers
"""How a weld moves: pool, arc, spatter and plate over time, for each of the twelve classes.

Lengths are in pixels of a frame 960 wide, angles in radians. The good weld is the baseline; a defect changes what its
physics changes, so that classes differ in movement and shape and not only in brightness.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from weld_pipeline.synthetic.welds import CLASSES

Track = Float[np.ndarray, " T"]

# Afterglow: on the real recording the pool stays visible for half a second after the arc has gone out.
AFTERGLOW_S = 0.45


@dataclass(frozen=True)
class Motion:
    """Everything that moves, one value a frame.

    Attributes:
        time_s: Time since ignition.
        is_burning: Whether the arc burns; afterwards the pool cools.
        level: Pulse phase of the arc, 0 background current, 1 peak current.
        arc_x: Arc position along the plate, from the torch axis; positive leads.
        arc_y: Arc position downwards, from its place above the plate edge.
        arc_size: Size of the arc relative to a normal one.
        torch_x: Sideways movement of the torch.
        pool_length: Visible length of the pool behind the arc.
        pool_height: Height of the pool above the plate edge.
        dome: Extra height of the crown in the middle of the pool.
        sag: How far metal hangs over the plate edge.
        root: How far light and metal show below the edge.
        hole: Opening of a burnt hole, 0..1.
        groove: Depth of the notch along the upper toe, 0..1.
        gap: Dark distance between arc and pool.
        crater: Depression at the end of the pool, 0..1.
        bubbles: Gas pores in the pool, expected number.
        tilt: Rotation of the plate.
        lift: Upward shift of the plate.
        heat: Brightness of the pool relative to a normal one.
        sparks: Expected number of streaks.
        drops: Expected number of new slow drops.
        drop_rise: Mean upward speed of new drops [px/frame]; negative falls.
        flow: Speed of the flow in the pool [px/frame].
    """

    time_s: Track
    is_burning: Bool[np.ndarray, " T"]
    level: Track
    arc_x: Track
    arc_y: Track
    arc_size: Track
    torch_x: Track
    pool_length: Track
    pool_height: Track
    dome: Track
    sag: Track
    root: Track
    hole: Track
    groove: Track
    gap: Track
    crater: Track
    bubbles: Track
    tilt: Track
    lift: Track
    heat: Track
    sparks: Track
    drops: Track
    drop_rise: Track
    flow: Track


def weld_motion(
    label: str, *, arc_s: float, fps: float, speed_cpm: float, thickness_mm: float, rng: np.random.Generator
) -> Motion:
    """Return the movement of a weld from ignition to the end of its afterglow.

    Args:
        label: One of `CLASSES`.
        arc_s: Time the arc burns.
        fps: Frame rate [1/s].
        speed_cpm: Robot travel [cm/min].
        thickness_mm: Plate thickness; a thin plate carries a larger pool.
        rng: Source of all variation.
    """
    motion = _good(arc_s=arc_s, fps=fps, speed_cpm=speed_cpm, thickness_mm=thickness_mm, rng=rng)
    severity = float(rng.uniform(0.75, 1.15))
    motion = _CHANGES[label](motion, severity, rng)
    return _cooling(motion)


def _good(*, arc_s: float, fps: float, speed_cpm: float, thickness_mm: float, rng: np.random.Generator) -> Motion:
    n_frames = round((arc_s + AFTERGLOW_S) * fps)
    t = np.arange(n_frames, dtype=np.float64) / fps
    zero = np.zeros(n_frames)
    grown = 1 - np.exp(-t / 0.3)
    size = (5 / thickness_mm) ** 0.15
    length = (300 - 2.2 * (speed_cpm - 28)) * size * rng.uniform(0.9, 1.1)
    return Motion(
        time_s=t,
        is_burning=t < arc_s,
        level=_pulses(t, rng),
        arc_x=_wander(t, rng, 4.0),
        arc_y=_wander(t, rng, 2.0),
        # Ignition: the wire explodes and the first frames are flooded with light.
        arc_size=rng.uniform(0.92, 1.08) * (1 + _wander(t, rng, 0.04) + np.exp(-t / 0.04)),
        torch_x=_wander(t, rng, 2.0),
        pool_length=40 + (length - 40) * grown + _wander(t, rng, 5.0),
        pool_height=(26 + 46 * size * grown) * rng.uniform(0.93, 1.07) + _wander(t, rng, 1.0),
        dome=zero,
        sag=zero,
        root=zero,
        hole=zero,
        groove=zero,
        gap=zero,
        crater=zero,
        bubbles=zero,
        tilt=zero,
        lift=zero,
        heat=rng.uniform(0.9, 1.1) * (0.75 + 0.25 * grown),
        sparks=rng.uniform(6, 13) * (1 + 3 * np.exp(-t / 0.08)),
        drops=zero + 0.012,
        drop_rise=zero + 22.0,
        flow=zero + rng.uniform(4, 7) * speed_cpm / 30,
    )


def _pulses(t: Track, rng: np.random.Generator) -> Track:
    """Return the pulse phase in each frame: a pulse near 100 Hz seen at 31 fps beats, and its edges jitter."""
    frequency_hz = rng.uniform(85, 125)
    phase = (frequency_hz * t + rng.uniform() + rng.normal(0, 0.12, len(t))) % 1
    peak = 0.85 + 0.15 * rng.uniform(size=len(t))
    background = 0.12 * rng.uniform(size=len(t))
    return np.where(phase < rng.uniform(0.6, 0.72), peak, background)


def _wander(t: Track, rng: np.random.Generator, size: float) -> Track:
    """Return a smooth random movement of about `size`, a sum of three slow waves."""
    waves = (np.sin(2 * np.pi * (rng.uniform(0.3, 2.5) * t + rng.uniform())) for _ in range(3))
    return size * np.sum(list(waves), axis=0) / np.sqrt(3)


def _wave(t: Track, rng: np.random.Generator, low_hz: float, high_hz: float) -> Track:
    return np.sin(2 * np.pi * (rng.uniform(low_hz, high_hz) * t + rng.uniform()))


def _onset(t: Track, tau_s: float = 0.25) -> Track:
    return 1 - np.exp(-t / tau_s)


def _unchanged(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    return motion


def _excessive_penetration(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The arc digs in: it sinks below the surface, and the root glows and breathes under the plate."""
    breathing = 1 + 0.45 * _wave(motion.time_s, rng, 3, 4.5)
    root = 58 * severity * _onset(motion.time_s) * breathing
    return replace(
        motion,
        arc_y=motion.arc_y + 16 * severity,
        arc_size=motion.arc_size * 0.8,
        pool_height=motion.pool_height * 0.72,
        root=root,
        sparks=motion.sparks * 0.6,
    )


def _burnthrough(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The pool swells, collapses through the plate and falls as drops, again and again."""
    cycle = (motion.time_s / rng.uniform(0.65, 0.9) + rng.uniform()) % 1
    swelling = np.clip(cycle / 0.45, 0, 1)
    hole = np.where(cycle > 0.45, np.clip((cycle - 0.45) / 0.12, 0, 1) * np.clip((1 - cycle) / 0.1, 0, 1), 0)
    return replace(
        motion,
        hole=hole,
        pool_height=motion.pool_height * (0.8 + 0.35 * swelling * severity - 0.3 * hole),
        arc_y=motion.arc_y + 42 * hole * severity,
        root=26 * severity * hole,
        drops=np.where((cycle > 0.45) & (cycle < 0.85), 1.6 * severity, 0.05),
        drop_rise=np.full_like(motion.time_s, -6.0),
        heat=motion.heat * (1 - 0.35 * hole),
    )


def _porosity(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Trapped gas rises as bubbles that grow and burst, and air in the shielding gas makes the arc flicker."""
    flicker = 1 + 0.22 * rng.standard_normal(len(motion.time_s))
    return replace(
        motion,
        bubbles=9 * severity * _onset(motion.time_s),
        arc_size=motion.arc_size * np.clip(flicker, 0.5, 1.4),
        pool_height=motion.pool_height * 1.05,
        drops=motion.drops + 0.25 * severity,
    )


def _porosity_with_penetration(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Both at once: bubbles in a pool that has sunk, the root glowing below."""
    return _porosity(_excessive_penetration(motion, severity, rng), severity, rng)


def _undercut(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """A long arc whips from side to side and cuts notches along the toe that the metal does not fill."""
    whip = _wave(motion.time_s, rng, 4.5, 6.5)
    return replace(
        motion,
        arc_x=motion.arc_x + 46 * severity * whip,
        arc_y=motion.arc_y - 20 * severity,
        torch_x=motion.torch_x + 12 * whip,
        arc_size=motion.arc_size * 1.12,
        groove=severity * _onset(motion.time_s),
        flow=motion.flow * 1.6,
    )


def _overlap(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """Too much metal too cold: it rolls over the toe in lobes that hang below the edge and creep backwards."""
    return replace(
        motion,
        sag=severity * _onset(motion.time_s, 0.4) * (44 + 10 * _wave(motion.time_s, rng, 1.2, 2.0)),
        pool_height=motion.pool_height * 1.12,
        pool_length=motion.pool_length * 1.1,
        heat=motion.heat * 0.92,
        flow=motion.flow * 0.5,
    )


def _lack_of_fusion(motion: Motion, severity: float, rng: np.random.Generator) -> Motion:
    """The arc runs off the seam: it drifts ahead of a small cold pool, with a dark gap between them."""
    drift = 0.75 + 0.35 * _wave(motion.time_s, rng, 0.7, 1.2)
    away = 95 * severity * _onset(motion.time_s) * drift
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
    rocking = 1 + 0.25 * _wave(motion.time_s, rng, 1.8, 2.6)
    return replace(
        motion,
        dome=62 * severity * _onset(motion.time_s, 0.5) * rocking,
        pool_length=motion.pool_length * 0.8,
        arc_y=motion.arc_y - 12 * severity * _onset(motion.time_s, 0.5),
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
    bend = _onset(motion.time_s, 0.6)
    spring = 0.35 * _wave(motion.time_s, rng, 2.2, 3.2)
    return replace(
        motion,
        tilt=side * 0.16 * severity * (bend + spring),
        lift=34 * severity * (bend + 0.7 * spring),
    )


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


def _cooling(motion: Motion) -> Motion:
    """Return the movement with everything the arc drives stopped once it is out, and the pool losing its heat."""
    n_burning = int(motion.is_burning.sum())
    off = ~motion.is_burning
    since_s = np.where(off, motion.time_s - motion.time_s[n_burning - 1], 0)
    frozen = {
        name: np.where(off, getattr(motion, name)[n_burning - 1], getattr(motion, name))
        for name in ("arc_x", "arc_y", "torch_x", "pool_length", "pool_height", "dome", "sag", "crater", "tilt", "lift")
    }
    stopped = {
        name: np.where(off, 0, getattr(motion, name))
        for name in ("level", "sparks", "drops", "flow", "root", "bubbles", "hole")
    }
    heat = motion.heat * np.where(off, np.exp(-since_s / 0.15), 1)
    return replace(motion, **frozen, **stopped, heat=heat)


_CHANGES: dict[str, Callable[[Motion, float, np.random.Generator], Motion]] = dict(
    zip(
        CLASSES,
        (
            _unchanged,
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
