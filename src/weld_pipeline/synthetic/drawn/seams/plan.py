"""Seam plan: the photographs of a drawn anomaly set in the layout of MVTec AD, and the work of drawing them."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import PurePosixPath

from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.synthetic.drawn.files import FilePlan, pending_files
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.seams.flaws import FLAWS
from weld_pipeline.synthetic.drawn.seams.photo import draw_seam, draw_seam_mask

LAYOUT = "weld_seams"
# Part of every content key: raise it when the same recipe would give other images.
SEAM_VERSION = 1


def plan_seams(*, n_train_good: int, n_test_good: int, n_per_defect: int, width: int, seed: int) -> list[DrawnImage]:
    """Return the photographs of a set, ordered by path: `train/good`, `test/good` and `test/<defect>`.

    All come from one production line, as the images of a category of MVTec AD do; another seed is another line.

    Args:
        n_per_defect: Number of photographs of each of `flaws.FLAWS`.
        width: Width and height of a photograph [px].
    """
    folders = [("train", "good", n_train_good), ("test", "good", n_test_good)]
    folders += [("test", defect, n_per_defect) for defect in FLAWS]
    return [
        DrawnImage(f"{split}/{label}/{number:03d}.png", LAYOUT, label, "line", False, width, seed)
        for split, label, n in sorted(folders)
        for number in range(n)
    ]


def mask_path(image: DrawnImage) -> str:
    """Return the path of the mask of a photograph with a defect: `ground_truth/<defect>/<number>_mask.png`."""
    return f"ground_truth/{image.label}/{PurePosixPath(image.path).stem}_mask.png"


def pending_seams(images: list[DrawnImage], *, n_workers: int) -> PendingItems[FilePlan, bytes]:
    """Return photographs and masks as work to be done."""
    files = [(plan, asdict(image)) for image in images for plan in _files(image)]
    return pending_files(files, version=SEAM_VERSION, label=f"drawing {LAYOUT}", n_workers=n_workers)


def _files(image: DrawnImage) -> Iterator[FilePlan]:
    yield FilePlan(image.path, partial(draw_seam, image))
    if image.label in FLAWS:
        yield FilePlan(mask_path(image), partial(draw_seam_mask, image))
