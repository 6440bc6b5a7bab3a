"""Image plan: the images of a drawn data set, and the work of drawing them."""

import zlib
from collections import Counter
from dataclasses import asdict
from functools import partial

import numpy as np

from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.synthetic.drawn.files import FilePlan, pending_files
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.images.layouts import LAYOUTS

# Part of every content key: raise it when the same recipe would give other images.
IMAGE_VERSION = 1
# Share of the sessions of a class that layouts with folders for splits put into valid, and into test.
_HELD_OUT_SHARE = 0.2


def plan_images(
    layout: str, *, n_sessions_per_class: int, n_per_session: int, written_share: float, width: int, seed: int
) -> list[DrawnImage]:
    """Return the images of a data set, ordered by path.

    A session holds one class and lies in one split. Writing goes to the same share of the sessions of each class, so
    that it says nothing about the class.

    Args:
        layout: Name in `LAYOUTS`.
        n_sessions_per_class: Number of weld runs, plates, films, coils or videos of each class, at least 3.
        written_share: Share of sessions with writing in their images, 0..1.
    """
    kind = LAYOUTS[layout]
    rng = np.random.default_rng([seed, zlib.crc32(layout.encode())])
    planned = []
    for label in kind.classes:
        is_written = rng.permutation(n_sessions_per_class) < round(written_share * n_sessions_per_class)
        planned += [(label, *pair) for pair in zip(_splits(n_sessions_per_class), is_written.tolist(), strict=True)]
    images, n_of_class = [], Counter[str]()
    # Numbers and dates run across the classes: the order of recording says nothing about the class either.
    for number, index in enumerate(rng.permutation(len(planned))):
        label, split, is_written = planned[index]
        session = kind.session_name(label, number, rng)
        for of_session in range(n_per_session):
            n_of_class[label] += 1
            path = kind.image_name(label, split, session, of_session, n_of_class[label])
            images.append(DrawnImage(path, layout, label, session, is_written, width, seed))
    return sorted(images, key=lambda image: image.path)


def _splits(n_sessions: int) -> list[str]:
    """Return the split of each session of a class; each split gets one where there are three or more."""
    n_held_out = max(1, round(_HELD_OUT_SHARE * n_sessions))
    return (["valid"] * n_held_out + ["test"] * n_held_out + ["train"] * n_sessions)[:n_sessions]


def pending_images(images: list[DrawnImage], *, n_workers: int) -> PendingItems[FilePlan, bytes]:
    """Return the files of one layout as work to be done; those beside the images come first."""
    kind = LAYOUTS[images[0].layout]
    files = kind.side_files(images)
    files += [(FilePlan(image.path, partial(kind.draw, image)), asdict(image)) for image in images]
    label = f"drawing {images[0].layout}"
    return pending_files(files, version=IMAGE_VERSION, label=label, n_workers=n_workers)
