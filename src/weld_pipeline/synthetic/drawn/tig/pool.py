"""TIG pool: changes that each class of weld makes in pool, arc and plate, and why.

A class changes what its physics changes; set-up, exposure and camera vary from run to run whatever the class.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

SS304 = ("good_weld", "burn_through", "contamination", "lack_of_fusion", "lack_of_shielding_gas", "high_travel_speed")
AL5083 = ("good_weld", "burn_through", "contamination", "lack_of_fusion", "misalignment", "lack_of_penetration")


@dataclass(frozen=True)
class Pool:
    """The weld as one frame shows it; lengths in pixels of a frame 1280 wide, strengths about 1 where they act.

    Attributes:
        ahead: Reach of the pool ahead of the arc.
        behind: Reach of the pool behind the arc.
        half_width: Half its width.
        arc: Strength of the arc.
        mirror: Share of the arc that the liquid mirrors, about 1.
        rim: Height of the toe around the pool.
        ripple: Height of the ripples of the bead behind it.
        hole: Opening burnt through the plate.
        slag: Crumbs that float on the pool and do not melt.
        layers: Cold tongues of metal that lie on each other without running together.
        wrinkles: Oxide skin that creases as it drifts.
        rays: Stripes in an arc that burns in a mixture of gas and air.
        pits: Pores in the bead and beside it.
        humps: Lumps that a pool drawn too long leaves behind, a hollow between each.
        joint: Depth of the joint left open behind the arc; 0 where it is filled.
        shift: Distance of the arc from the joint.
    """

    ahead: float = 215.0
    behind: float = 470.0
    half_width: float = 165.0
    arc: float = 1.0
    mirror: float = 1.0
    rim: float = 1.0
    ripple: float = 1.0
    hole: float = 0.0
    slag: float = 0.0
    layers: float = 0.0
    wrinkles: float = 0.0
    rays: float = 0.0
    pits: float = 0.0
    humps: float = 0.0
    joint: float = 0.0
    shift: float = 0.0


def tig_pool(label: str, run_rng: np.random.Generator, frame_rng: np.random.Generator) -> Pool:
    """Return the pool of a frame.

    Args:
        run_rng: Source of what a run keeps: heat input, severity of the defect.
        frame_rng: Source of the unrest from frame to frame.
    """
    size, severity = run_rng.uniform(0.82, 1.15), float(run_rng.uniform(0.7, 1.15))
    calm = Pool(
        ahead=215 * size * frame_rng.uniform(0.95, 1.05),
        behind=470 * size * run_rng.uniform(0.85, 1.1) * frame_rng.uniform(0.94, 1.06),
        half_width=165 * size * frame_rng.uniform(0.96, 1.04),
        arc=float(run_rng.uniform(0.85, 1.15) * frame_rng.uniform(0.9, 1.1)),
        mirror=float(run_rng.uniform(0.7, 1.2)),
        ripple=float(run_rng.uniform(0.5, 1.2)),
    )
    severity *= float(frame_rng.uniform(0.85, 1.1))
    return _CHANGES[label](calm, severity) if label in _CHANGES else calm


def _burn_through(pool: Pool, severity: float) -> Pool:
    """The pool sags, tears open, and the arc shines through the plate."""
    return replace(
        pool, hole=severity, behind=pool.behind * 1.15, half_width=pool.half_width * 1.1, ripple=1.5 * pool.ripple
    )


def _contamination(pool: Pool, severity: float) -> Pool:
    """Dirt and slag float in crusts that the arc lights and does not melt; the skin of the pool dulls."""
    return replace(pool, slag=severity, mirror=0.5 * pool.mirror, behind=0.85 * pool.behind)


def _lack_of_fusion(pool: Pool, severity: float) -> Pool:
    """Too little heat for the plate: metal lies in tongues on its faces, and the joint stays open behind."""
    return replace(pool, layers=severity, joint=severity, half_width=0.85 * pool.half_width, ripple=0.4 * pool.ripple)


def _lack_of_shielding_gas(pool: Pool, severity: float) -> Pool:
    """Air gets to the metal: an oxide skin creases, pores open, and the arc frays into stripes."""
    return replace(pool, wrinkles=severity, rays=severity, pits=severity, mirror=0.2 * pool.mirror, rim=0.1, ripple=0.0)


def _high_travel_speed(pool: Pool, severity: float) -> Pool:
    """The pool is drawn long and thin and freezes in humps behind a weak arc."""
    return replace(
        pool,
        humps=severity,
        arc=0.62 * pool.arc,
        ahead=0.5 * pool.ahead,
        behind=0.75 * pool.behind,
        half_width=(0.52 - 0.12 * severity) * pool.half_width,
        rim=0.4,
        ripple=0.0,
    )


def _misalignment(pool: Pool, severity: float) -> Pool:
    """The torch runs beside the joint: a sound pool, and the open joint along its flank."""
    return replace(pool, shift=175 * severity, joint=1.1 * severity)


def _lack_of_penetration(pool: Pool, severity: float) -> Pool:
    """The arc melts the surface only: a small cold pool and a high narrow bead over a joint that shows through."""
    return replace(
        pool,
        ahead=0.55 * pool.ahead,
        behind=(0.65 - 0.15 * severity) * pool.behind,
        half_width=(0.68 - 0.15 * severity) * pool.half_width,
        arc=0.75 * pool.arc,
        ripple=2.2 * pool.ripple,
        rim=1.6,
        joint=0.5 * severity,
    )


_CHANGES: dict[str, Callable[[Pool, float], Pool]] = {
    "burn_through": _burn_through,
    "contamination": _contamination,
    "lack_of_fusion": _lack_of_fusion,
    "lack_of_shielding_gas": _lack_of_shielding_gas,
    "high_travel_speed": _high_travel_speed,
    "misalignment": _misalignment,
    "lack_of_penetration": _lack_of_penetration,
}
