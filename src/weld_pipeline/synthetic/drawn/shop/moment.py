"""Moment of a weld: the place of everything in one frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from weld_pipeline.synthetic.drawn.shop.motion import Motion
from weld_pipeline.synthetic.drawn.shop.scene import Scene


@dataclass(frozen=True)
class Moment:
    """Movement in one frame, and its place; see `Motion` for the meaning of the values.

    Attributes:
        edge: The plate edge now, in each column [reference px].
        arc_x: Place of the arc along the plate [reference px].
        arc_y: Place of the arc from the top of the frame [reference px].
        edge_at_arc: Height of the plate edge below the arc [reference px].
        carried: Distance that the flow has carried the eddies since ignition [reference px].
    """

    scene: Scene
    edge: Float[np.ndarray, " W"]
    arc_x: float
    arc_y: float
    edge_at_arc: float
    carried: float
    time_s: float
    is_burning: bool
    level: float
    arc_size: float
    torch_x: float
    pool_length: float
    pool_height: float
    dome: float
    sag: float
    root: float
    hole: float
    groove: float
    gap: float
    crater: float
    heat: float


_NAMES = [
    "time_s",
    "level",
    "arc_size",
    "torch_x",
    "pool_length",
    "pool_height",
    "dome",
    "sag",
    "root",
    "hole",
    "groove",
    "gap",
    "crater",
    "heat",
]


def moments(scene: Scene, motion: Motion) -> list[Moment]:
    """Return the frames of a movement in a scene."""
    carried = np.cumsum(motion.flow)
    frames = []
    for i in range(len(motion.time_s)):
        turned = np.float32(np.tan(motion.tilt[i])) * (scene.x - np.float32(scene.seam_x))
        edge = scene.edge + turned - np.float32(motion.lift[i])
        arc_x = scene.seam_x + float(motion.arc_x[i])
        edge_at_arc = float(edge[int(np.clip(arc_x * scene.scale, 0, len(edge) - 1))])
        frames.append(
            Moment(
                scene=scene,
                edge=edge,
                arc_x=arc_x,
                arc_y=edge_at_arc - 15 + float(motion.arc_y[i]),
                edge_at_arc=edge_at_arc,
                carried=float(carried[i]),
                is_burning=bool(motion.is_burning[i]),
                **{name: float(getattr(motion, name)[i]) for name in _NAMES},
            )
        )
    return frames
