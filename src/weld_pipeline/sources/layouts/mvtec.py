"""MVTec layouts, with masks in a folder of their own: MVTec AD, MVTec AD 2, VisA.

MVTec AD (Bergmann et al. 2019): `train/good/<n>.png`, `test/<kind>/<n>.png`, `ground_truth/<kind>/<n>_mask.png`.
MVTec AD 2 (Heckler-Kram et al. 2025): `train/good`, `validation/good`, `test_public/{good,bad}` and
`test_public/ground_truth/bad/<n>_mask.png`; images in `test_private…` have no public class.
MVTec LOCO (Bergmann et al. 2022): as MVTec AD with `validation/good`; the masks of an image lie in a folder of its own,
`ground_truth/<kind>/<n>/000.png`, and mark its defect together. Its `defects_config.json`, the pixel value of each kind
and how much of a region is enough to count as found, is not used: every marked pixel is one of the defect.
VisA (Zou et al. 2022): `Data/Images/{Normal,Anomaly}/<n>.JPG`, `Data/Masks/Anomaly/<n>.png`, no split; its form for one
class is MVTec's.

Each is one product: a folder of several is no source. Every image is its own session unless a pattern says otherwise.
"""

from collections import defaultdict
from pathlib import PurePosixPath

from weld_pipeline.sources.layouts.image_folders import may_be_image
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.mask_folders import orphan_masks, paired, with_masks
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, IndexRow, session_or, unclaimed

TRUTH = "ground_truth"
_VISA_IMAGES, _VISA_MASKS = "Data/Images/", "Data/Masks/"
_VISA_LABELS = {"Normal": "good", "Anomaly": "anomaly"}
_N_FOLDERS = 2  # split and class


def is_mvtec(names: Names) -> bool:
    """Return whether masks lie where MVTec AD has them, and images in folders of splits beside them."""
    return _is_product(names, "")


def is_mvtec_ad2(names: Names) -> bool:
    """Return whether there is the public test of MVTec AD 2."""
    return "test_public" in names.folders


def is_visa(names: Names) -> bool:
    """Return whether images lie where VisA has them."""
    return any(file.startswith(_VISA_IMAGES) for file in names.files)


def product_folder(names: Names) -> str | None:
    """Return a folder below the source folder that has one of these layouts, or None: then that one is meant."""
    for folder in names.folders:
        parent, _, name = folder.rpartition("/")
        if parent and (name == "test_public" or (name == TRUTH and _is_product(names, f"{parent}/"))):
            return parent
        if folder.endswith(f"/{_VISA_IMAGES.rstrip('/')}"):
            return folder.removesuffix(f"/{_VISA_IMAGES.rstrip('/')}")
    return None


def index_mvtec(names: Names, *, source: str, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each image of MVTec AD or AD 2, and for each mask without an image.

    Its class is its folder; `good` is the good one.

    Args:
        source: `mvtec` or `mvtec_ad2`.
        session_pattern: Regular expression on the path; without one or a match, an image is its own session.
    """
    masks = [file for file in names.images if _is_truth(file)]
    files = [file for file in names.files if may_be_image(file) and not _is_truth(file)]
    rows = [_mvtec_row(file, source=source, session_pattern=session_pattern) for file in files]
    tested = {_image_key(row.path): row.path for row in rows if _is_test(row.source_split)}
    masks_of: defaultdict[str, list[str]] = defaultdict(list)
    for mask in masks:
        if image := tested.get(_key_of_mask(mask)):
            masks_of[image].append(mask)
    masked = with_masks(rows, paired(masks_of, masks, names))
    return [*masked, *unclaimed(names, masked, files=(), source=source, why="")]


def index_visa(names: Names, *, session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each image of a product of VisA, `good` or `anomaly`, and for each mask without an image."""
    masks = [file for file in names.images if file.startswith(_VISA_MASKS)]
    mask_of = {_image_key(file): file for file in masks}
    files = [file for file in names.files if may_be_image(file) and not file.startswith(_VISA_MASKS)]
    rows = []
    for file in files:
        is_here, key = file.startswith(_VISA_IMAGES), _image_key(file)
        label = _VISA_LABELS.get(key.rpartition("/")[0]) if is_here else None
        problem = (
            None
            if label
            else f"unknown_class: lies in neither of {_VISA_IMAGES}{{{','.join(_VISA_LABELS)}}}; move it there"
        )
        session = session_or(file, file, session_pattern)
        rows.append(IndexRow(file, "visa", file, label, session=session, mask_path=mask_of.get(key), problem=problem))
    return [*rows, *orphan_masks(rows, masks, source="visa"), *unclaimed(names, rows, files=(), source="visa", why="")]


def _is_test(split: str | None) -> bool:
    return split is not None and SPLIT_OF_WORD[split.casefold()] == "test"


def _mvtec_row(file: str, *, source: str, session_pattern: str | None) -> IndexRow:
    folders = file.split("/")[:-1]
    split = folders[0] if folders and folders[0].casefold() in SPLIT_OF_WORD else None
    kind = folders[1] if split and len(folders) == _N_FOLDERS else None
    unknown = "unlabelled: lies in no folder <split>/<class>, so its class is unknown; move it into one"
    return IndexRow(
        file,
        source,
        file,
        kind,
        session=session_or(file, file, session_pattern),
        source_split=split,
        problem=None if kind else unknown,
    )


def _is_product(names: Names, prefix: str) -> bool:
    """Return whether a folder has masks beside a test split with classes, and the masks no splits of their own."""
    inner = {folder.removeprefix(prefix) for folder in names.folders if folder.startswith(prefix)}
    pairs = [folder.split("/") for folder in inner if folder.count("/") == 1]
    has_test = any(SPLIT_OF_WORD.get(first.casefold()) == "test" for first, _ in pairs)
    return TRUTH in inner and has_test and not any(a == TRUTH and b.casefold() in SPLIT_OF_WORD for a, b in pairs)


def _is_truth(file: str) -> bool:
    return TRUTH in file.split("/")[:-1]


def _key_of_mask(file: str) -> str:
    """Return the key of the image that a mask belongs to.

    >>> _key_of_mask("ground_truth/crack/007_mask.png"), _key_of_mask("ground_truth/logical_anomalies/007/000.png")
    ('crack/007', 'logical_anomalies/007')
    """
    folders = file.split("/")[:-1]
    if len(folders) > _N_FOLDERS and folders[-1 - _N_FOLDERS] == TRUTH:
        return f"{folders[-2]}/{folders[-1]}"
    return _image_key(file).removesuffix("_mask")


def _image_key(file: str) -> str:
    """Return the key that an image and its mask share: innermost folder and name.

    >>> _image_key("ground_truth/crack/007_mask.png")
    'crack/007_mask'
    """
    path = PurePosixPath(file)
    return f"{path.parent.name}/{path.stem}"
