"""Motion of a weld: pool, arc, spatter and plate over time.

Lengths are in pixels of a frame 960 wide, angles in radians.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

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
        sag: Distance that metal hangs over the plate edge.
        root: Distance that light and metal show below the edge.
        hole: Opening of a burnt hole, 0..1.
        groove: Depth of the notch along the upper toe, 0..1.
        gap: Dark distance between arc and pool.
        crater: Depression at the end of the pool, 0..1.
        bubbles: Expected number of gas pores in the pool.
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


def good_motion(*, arc_s: float, fps: float, speed_cpm: float, thickness_mm: float, rng: np.random.Generator) -> Motion:
    """Return the movement of a good weld, burning all the time and for the length of its afterglow.

    Args:
        speed_cpm: Robot travel [cm/min]; a fast torch drags a short pool.
        thickness_mm: Plate thickness; a thin plate carries a larger pool.
    """
    n_frames = round((arc_s + AFTERGLOW_S) * fps)
    t = np.arange(n_frames, dtype=np.float64) / fps
    zero = np.zeros(n_frames)
    grown = 1 - np.exp(-t / 0.3)
    size = (5 / thickness_mm) ** 0.15
    length = (345 - 2.2 * (speed_cpm - 28)) * size * rng.uniform(0.9, 1.1)
    return Motion(
        time_s=t,
        is_burning=t < arc_s,
        level=_pulses(t, rng),
        arc_x=wander(t, rng, 4.0),
        arc_y=wander(t, rng, 2.0),
        # Ignition: the wire explodes and the first frames are flooded with light.
        arc_size=rng.uniform(0.92, 1.08) * (1 + wander(t, rng, 0.04) + np.exp(-t / 0.04)),
        torch_x=wander(t, rng, 2.0),
        pool_length=40 + (length - 40) * grown + wander(t, rng, 5.0),
        pool_height=(26 + 48 * size * grown) * rng.uniform(0.93, 1.07) + wander(t, rng, 1.0),
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


def cooled(motion: Motion) -> Motion:
    """Return the movement with everything the arc drives stopped once it is out, and the pool losing its heat."""
    n_burning = int(motion.is_burning.sum())
    off = ~motion.is_burning
    since_s = np.where(off, motion.time_s - motion.time_s[n_burning - 1], 0)
    frozen = {
        name: np.where(off, getattr(motion, name)[n_burning - 1], getattr(motion, name))
        for name in (
            "arc_x",
            "arc_y",
            "torch_x",
            "pool_length",
            "pool_height",
            "dome",
            "sag",
            "crater",
            "tilt",
            "lift",
            "gap",
            "groove",
        )
    }
    stopped = {
        name: np.where(off, 0, getattr(motion, name))
        for name in ("level", "sparks", "drops", "flow", "root", "bubbles", "hole")
    }
    heat = motion.heat * np.where(off, np.exp(-since_s / 0.15), 1)
    return replace(motion, **frozen, **stopped, heat=heat)


def _pulses(t: Track, rng: np.random.Generator) -> Track:
    """Return the pulse phase in each frame: a pulse near 100 Hz seen at 31 fps beats, and its edges jitter."""
    frequency_hz = rng.uniform(85, 125)
    phase = (frequency_hz * t + rng.uniform() + rng.normal(0, 0.22, len(t))) % 1
    peak = 0.85 + 0.15 * rng.uniform(size=len(t))
    background = 0.12 * rng.uniform(size=len(t))
    return np.where(phase < rng.uniform(0.6, 0.72), peak, background)


def wander(t: Track, rng: np.random.Generator, size: float) -> Track:
    """Return a smooth random movement of about `size`, a sum of three slow waves."""
    waves = (np.sin(2 * np.pi * (rng.uniform(0.3, 2.5) * t + rng.uniform())) for _ in range(3))
    return size * np.sum(list(waves), axis=0) / np.sqrt(3)


def wave(t: Track, rng: np.random.Generator, low_hz: float, high_hz: float) -> Track:
    """Return a sine of a random frequency and phase, -1..1."""
    return np.sin(2 * np.pi * (rng.uniform(low_hz, high_hz) * t + rng.uniform()))


def onset(t: Track, tau_s: float = 0.25) -> Track:
    """Return an approach to 1 that starts at ignition, with its time constant [s]."""
    return 1 - np.exp(-t / tau_s)
