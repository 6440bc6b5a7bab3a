"""Drawn images to compare on."""

from dataclasses import dataclass
from pathlib import Path

from weld_pipeline.synthetic.drawn.images.layouts import LAYOUTS
from weld_pipeline.synthetic.drawn.images.plan import plan_images
from weld_pipeline.synthetic.drawn.seams.plan import pending_seams, plan_seams

LAYOUT = "tig_ss304"
CLASSES = LAYOUTS[LAYOUT].classes
_N_SESSIONS = 3  # of each class, the least that is drawn


@dataclass(frozen=True)
class Frame:
    """A file with a drawn TIG frame, and the number of its class."""

    path: Path
    label: int


def draw_frames(folder: Path, *, n_per_session: int, width: int) -> list[Frame]:
    """Return frames drawn as grey PNGs, the classes in turns: three sessions of each class.

    Args:
        folder: Where the files come to lie.
        n_per_session: Frames of each session.
        width: Of a frame [px].
    """
    planned = plan_images(
        LAYOUT,
        n_sessions_per_class=_N_SESSIONS,
        n_per_session=n_per_session,
        written_share=0.0,
        width=width,
        seed=0,
    )
    by_class = [[image for image in planned if image.label == label] for label in CLASSES]
    frames = []
    for number, image in enumerate(image for alike in zip(*by_class, strict=True) for image in alike):
        path = folder / f"{number:04d}.png"
        path.write_bytes(LAYOUTS[LAYOUT].draw(image))
        frames.append(Frame(path, CLASSES.index(image.label)))
    return frames


def draw_seams(folder: Path) -> None:
    """Draw weld seams with masks, in the layout of MVTec AD, into a folder."""
    planned = plan_seams(n_train_good=30, n_test_good=12, n_per_defect=4, width=256, seed=0)
    pending = pending_seams(planned, n_workers=1)
    draw = pending.worker_factory()
    for item in pending.items:
        path = folder / item.id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw(item.payload))
