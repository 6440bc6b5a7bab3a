"""Image index: the layout of a folder of images, and its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.core.text_tables import read_text_table
from weld_pipeline.sources.layouts.clean_rows import check_good, check_pattern, clean_rows
from weld_pipeline.sources.layouts.exports import refuse_export
from weld_pipeline.sources.layouts.gdxray import index_gdxray, is_gdxray
from weld_pipeline.sources.layouts.image_folders import (
    NEU_CLASSES,
    RIAWELC_CLASSES,
    index_image_folders,
    index_neu,
    index_riawelc,
    knows_all,
)
from weld_pipeline.sources.layouts.listing import Names, read_listing, walk
from weld_pipeline.sources.layouts.mask_folders import MaskFolders, find_mask_folders, with_masks
from weld_pipeline.sources.layouts.masks_beside import has_masks_beside, index_masks_beside
from weld_pipeline.sources.layouts.mvtec import index_mvtec, index_visa, is_mvtec, is_mvtec_ad2, is_visa, product_folder
from weld_pipeline.sources.layouts.rows import IndexRow
from weld_pipeline.sources.layouts.tig import class_id_files, index_tig, is_named_as_its_split
from weld_pipeline.sources.layouts.video_folders import index_labels
from weld_pipeline.sources.layouts.yolo import NAMES_FILE, LabelRule, find_names_file, index_yolo

ImageLayout = Literal[
    "tig", "yolo", "labels_csv", "mvtec_ad2", "mvtec", "visa", "gdxray", "masks_beside", "riawelc", "neu",
    "class_folders",
]  # fmt: skip
# The classes of these layouts stand in files, of which a listing has only the names.
_READ_FILES = ("tig", "yolo", "labels_csv", "gdxray")
_BY_CLASS_FOLDERS = {
    "masks_beside": index_masks_beside,
    "riawelc": index_riawelc,
    "neu": index_neu,
    "class_folders": index_image_folders,
}


@dataclass(frozen=True)
class ImageReading:
    """Options of the image index.

    Attributes:
        layout: Layout of the folder. `auto` takes the first that fits: tig where a json of class ids lies in the folder or
            in a split's, yolo where a yaml there names classes and images lie in a folder `images`, labels_csv where there
            is that csv; of those with masks mvtec_ad2, mvtec and visa by their folders, gdxray by its names, masks_beside
            where half of the jpg or bmp images have a png of the same name; riawelc and neu where folder or name of every
            image gives one of their classes; else class_folders.
        good_class: Name of the class that is no defect; None where every class is one, as in NEU.
        class_aliases: Class names to use, by the names to replace.
        classes: The only classes allowed; None allows any.
        class_ids: Class name of each class id, for tig.
        session_pattern: Regular expression on the path; its first group, or the whole match, is the session. Without one,
            or without a match, the layout gives the session: run folder (tig), series (yolo), film (riawelc, gdxray), tile
            (masks_beside), else the file itself. A csv of labels without a session column gives none.
        label_priority: `LabelRule.priority`, for yolo.
        label_if_empty: `LabelRule.if_empty`, for yolo.
        labels_file: The csv of labels, relative to the source folder.
        mask_folders: Names of folders beside class folders that hold masks; empty where none does, None to find them by
            name and content.
    """

    layout: Literal["auto"] | ImageLayout = "auto"
    good_class: str | None = "good_weld"
    class_aliases: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[str] | None = None
    class_ids: Mapping[int, str] = field(default_factory=dict)
    session_pattern: str | None = None
    label_priority: Sequence[str] = ()
    label_if_empty: str | None = None
    labels_file: str = "labels.csv"
    mask_folders: Sequence[str] | None = None


def index_images(root: Path, reading: ImageReading) -> list[IndexRow]:
    """Return a row for each image that a folder, or a listing of one, names; none is left out.

    Args:
        root: A folder, or a text file as `tree` prints it for layouts whose classes stand in names.

    Raises:
        WeldError: If there is no image, a file of labels cannot be read, or no class is the good one.
    """
    check_pattern(reading.session_pattern)
    names = walk(root) if root.is_dir() else read_listing(root)
    layout = detect_image_layout(root, names, reading) if reading.layout == "auto" else reading.layout
    if not names.are_here and layout in _READ_FILES:
        raise WeldError(f"listing {root}: the classes of layout {layout!r} stand in its files; name the folder itself")
    by_folders = _rows_by_class_folders if layout in _BY_CLASS_FOLDERS else _rows
    rows = by_folders(root, names, layout, reading)
    if not rows:
        raise WeldError(f"source {root}: no image found in the layout {layout!r}; check index.layout")
    rows = clean_rows(
        rows,
        root=root,
        names=names,
        good_class=reading.good_class,
        class_aliases=reading.class_aliases,
        classes=reading.classes,
    )
    if (
        reading.good_class is not None and layout != "gdxray"
    ):  # its masks give the class, and every film may have defects
        check_good(rows, reading.good_class)
    return rows


def detect_image_layout(root: Path, names: Names, reading: ImageReading) -> ImageLayout:
    """Return the layout that fits first; see `ImageReading.layout`.

    Raises:
        WeldError: If the files of a layout lie deeper, so that another folder is meant, if two layouts fit, or if the
            classes stand in an export that no layout reads.
    """
    if class_id_files(root, names):
        return "tig"
    if find_names_file(root, names):
        return "yolo"
    if reading.labels_file in names.files:
        return "labels_csv"
    if deeper := next((file for file in names.files if _is_layout_file(file)), None):
        folder = root.joinpath(deeper).parent
        folder = folder.parent if deeper.endswith(".json") else folder
        raise WeldError(f"source {root}: {deeper} lies deeper; name the folder {folder} as the source")
    if masked := _masked_layout(names):
        return masked
    if product := product_folder(names):
        raise WeldError(f"source {root}: masks lie deeper, under {product}; name one product, as {root / product}")
    return _class_layout(root, names.without(_find_masks(root, names, reading).files))


def _class_layout(root: Path, names: Names) -> ImageLayout:
    """Return the layout of images without masks among them."""
    is_riawelc, is_neu = knows_all(names, RIAWELC_CLASSES), knows_all(names, NEU_CLASSES)
    if is_riawelc and is_neu:
        raise WeldError(f"source {root}: cr is crack in RIAWELC, crazing in NEU; set index.layout to riawelc or neu")
    if not (is_riawelc or is_neu):
        refuse_export(root, names)
    return "riawelc" if is_riawelc else "neu" if is_neu else "class_folders"


def _masked_layout(names: Names) -> ImageLayout | None:
    """Return the first layout with masks that fits, or None."""
    checks: dict[ImageLayout, Callable[[Names], bool]] = {
        "mvtec_ad2": is_mvtec_ad2,
        "mvtec": is_mvtec,
        "visa": is_visa,
        "gdxray": is_gdxray,
        "masks_beside": has_masks_beside,
    }
    return next((layout for layout, fits in checks.items() if fits(names)), None)


def _rows(root: Path, names: Names, layout: ImageLayout, reading: ImageReading) -> list[IndexRow]:
    pattern = reading.session_pattern
    if layout == "tig":
        return index_tig(root, names, class_ids=reading.class_ids, session_pattern=pattern)
    if layout == "yolo":
        rule = LabelRule(reading.label_priority, reading.label_if_empty)
        return index_yolo(root, names, rule=rule, session_pattern=pattern)
    if layout == "labels_csv":
        if reading.labels_file not in names.files_known:
            raise WeldError(f"csv of labels {reading.labels_file!r} is not in {root}; set index.labels_file")
        labels = read_text_table(inside(root, reading.labels_file))
        return index_labels(names, labels, files=names.images, session_pattern=pattern)
    if layout == "gdxray":
        return index_gdxray(root, names, good_class=reading.good_class, session_pattern=pattern)
    if layout == "visa":
        return index_visa(names, session_pattern=pattern)
    return index_mvtec(names, source=layout, session_pattern=pattern)


def _rows_by_class_folders(root: Path, names: Names, layout: ImageLayout, reading: ImageReading) -> list[IndexRow]:
    masks = _find_masks(root, names, reading)
    rows = _BY_CLASS_FOLDERS[layout](names.without(masks.files), session_pattern=reading.session_pattern)
    return with_masks(rows, masks)


def _find_masks(root: Path, names: Names, reading: ImageReading) -> MaskFolders:
    """Return the masks in folders beside class folders."""
    good = [name for name, known in reading.class_aliases.items() if known == reading.good_class]
    good += [reading.good_class] if reading.good_class else []
    return find_mask_folders(root, names, mask_folders=reading.mask_folders, good_names=good)


def _is_layout_file(file: str) -> bool:
    """Return whether a file is a data.yaml, or a json named as the split folder it lies in, of a folder further down."""
    return file.endswith(f"/{NAMES_FILE}") or (file.count("/") > 1 and is_named_as_its_split(file))
