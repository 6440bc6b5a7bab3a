"""Which weld seams a drawn anomaly set holds, in the layout of MVTec AD, and the work of drawing them."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import PurePosixPath

from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.synthetic.drawn.files import FilePlan, pending_files
from weld_pipeline.synthetic.drawn.picture import DrawnPicture
from weld_pipeline.synthetic.drawn.seams.flaws import FLAWS
from weld_pipeline.synthetic.drawn.seams.photo import draw_seam, draw_seam_mask

LAYOUT = "weld_seams"
# Part of every content key: raise it when the same recipe would give other pictures.
SEAM_VERSION = 1


def plan_seams(*, n_train_good: int, n_test_good: int, n_per_defect: int, width: int, seed: int) -> list[DrawnPicture]:
    """Return the photographs of a set, ordered by path: `train/good`, `test/good` and `test/<defect>`.

    All come from one line of production, as the pictures of a category of MVTec AD do; another seed is another line.

    Args:
        n_train_good: Photographs of good seams to fit on.
        n_test_good: Photographs of good seams in test.
        n_per_defect: Photographs of each of `seam_flaws.FLAWS`.
        width: Width and height of a photograph [px].
        seed: Seed of everything.
    """
    folders = [("train", "good", n_train_good), ("test", "good", n_test_good)]
    folders += [("test", defect, n_per_defect) for defect in FLAWS]
    return [
        DrawnPicture(f"{split}/{label}/{number:03d}.png", LAYOUT, label, "line", False, width, seed)
        for split, label, n in sorted(folders)
        for number in range(n)
    ]


def mask_path(picture: DrawnPicture) -> str:
    """Return where the mask of a photograph with a defect lies: `ground_truth/<defect>/<number>_mask.png`."""
    return f"ground_truth/{picture.label}/{PurePosixPath(picture.path).stem}_mask.png"


def pending_seams(pictures: list[DrawnPicture], *, n_workers: int) -> PendingItems[FilePlan, bytes]:
    """Return photographs and masks as work to be done.

    Args:
        pictures: From `plan_seams`.
        n_workers: Processes to draw on.
    """
    files = [(plan, asdict(picture)) for picture in pictures for plan in _files(picture)]
    return pending_files(files, version=SEAM_VERSION, label=f"drawing {LAYOUT}", n_workers=n_workers)


def _files(picture: DrawnPicture) -> Iterator[FilePlan]:
    yield FilePlan(picture.path, partial(draw_seam, picture))
    if picture.label in FLAWS:
        yield FilePlan(mask_path(picture), partial(draw_seam_mask, picture))
