"""Parameters of `ingestion`."""

import math
from typing import Literal

from pydantic import Field, NonNegativeInt, model_validator

from weld_pipeline.core.tables import SPLITS
from weld_pipeline.pipelines.params import Fraction, Params, Split


class IndexParams(Params):
    """How the source folder is read."""

    layout: Literal["auto", "intel", "folders", "labels_csv"]
    """`intel`: configuration/run id/run id.avi, with or without manifest.csv. `folders`: a folder per class.
    `labels_csv`: a csv with columns path and label, perhaps session, config, split, travel_mm_s. `auto`: the first
    that fits, in the order intel, labels_csv, folders. A listing (.txt) is read by the same rules."""
    good_class: str = Field(min_length=1)
    """Name of the class that is no defect."""
    class_aliases: dict[str, str]
    """Names of classes as the source spells them → as this project does."""
    classes: tuple[str, ...] | None
    """The only classes allowed, others are quarantined; null allows any in plain folders, and Intel's twelve there."""
    labels_file: str = Field(min_length=1)
    """The csv of labels, relative to the source folder."""
    session_pattern: str | None
    """For plain videos without a session column: regular expression on the path whose first group is the session;
    null makes each file its own session."""


class ProbeParams(Params):
    """How a video is probed."""

    min_decoded_fraction: Fraction
    """Share of the length the header claims that must be there; below, the file is truncated."""
    thumbnail_px: int = Field(ge=32, le=960)
    """Width of the image kept for the contact sheet."""
    n_workers: int = Field(ge=1, le=64)
    """Processes to decode in."""


class SplitParams(Params):
    """Which rows go where."""

    scheme: Literal["auto", "sessions", "manifest"]
    """`sessions`: whole sessions, classes balanced. `manifest`: the source's own SPLIT; where it has no calib, that is cut
    from its train, and for detectors valid is, too. `auto`: the source's own where it has one and all that stands in its
    train may train, else sessions."""
    defects_in_train: Literal["allow", "refuse", "clean_tiles"]
    """`allow`: for classifiers, which learn defects. `refuse`: for detectors, which are fitted on good images: sessions
    with a defect are dealt among the other splits, and a defect in the source's own train stops the run. `clean_tiles`: a
    defective image may stand in train if its mask marks something; only tiles on which it marks nothing may be fitted
    on, so this needs tiling."""
    test_to_calib: Fraction
    """For `manifest`: share of the sessions of test that hold defects which calib gets, so that a threshold can be chosen
    there for the best F1; 0 leaves test as published, and the threshold to good images alone."""
    session: Literal["date", "config", "components"]
    """What must not cross splits: recording date (or what the source has instead: weld run, photo series, the session a
    csv names), configuration, or everything linked by either."""
    keep_copies_together: bool
    """Whether sessions that hold near-duplicates of each other go to the same split."""
    fractions: dict[Split, Fraction]
    """Wanted share of each split; they sum to 1. With `manifest` only what may be cut from train counts, as shares of
    what train, valid and calib have here."""
    allow_leakage: bool
    """Whether sessions and copies may stand in several splits; every report then says so."""
    seed: int = Field(ge=0)
    """Seed of the deal."""

    @model_validator(mode="after")
    def _fractions_make_a_whole(self) -> "SplitParams":
        if absent := [split for split in SPLITS if split not in self.fractions]:
            raise ValueError(f"fractions name no share for {', '.join(absent)}; 0 leaves a split empty")
        if self.scheme == "manifest":  # nothing is dealt among all four
            if not self.fractions["train"] and any(self.fractions[split] for split in ("valid", "calib")):
                raise ValueError(f"fractions {self.fractions} leave train nothing when valid or calib is cut from it")
            return self
        if not math.isclose(sum(self.fractions.values()), 1, abs_tol=1e-6):
            raise ValueError(f"fractions {self.fractions} sum to {sum(self.fractions.values()):g}; they must sum to 1")
        return self


class ImageIndexParams(Params):
    """How a folder of images is read."""

    layout: Literal[
        "auto", "tig", "yolo", "labels_csv", "mvtec_ad2", "mvtec", "visa", "gdxray", "masks_beside", "riawelc", "neu",
        "class_folders",
    ]  # fmt: skip
    """`tig`: run folders and a json of class ids, in split folders or not. `yolo`: a yaml of classes, images and labels.
    `labels_csv`: as for footage. `mvtec_ad2`, `mvtec`, `visa`: one product of these sets, masks in folders of their own.
    `gdxray`: films W0001 and masks W0002, which tell the class. `masks_beside`: a folder per class, in which a png beside
    a jpg or bmp of the same name is its mask, as in the magnetic-tile set. `riawelc`, `neu`: class told by folder or name, as in these sets. `class_folders`: a
    folder per class, in split folders or not. `auto`: the first that fits, in this order."""
    good_class: str | None
    """Name of the class that is no defect; null where every class is one, as in NEU: such images can be indexed and
    looked at, but no classifier that passes and fails welds can be trained on them alone."""
    class_aliases: dict[str, str]
    """Names of classes as the source spells them → as this project does; several may become one."""
    classes: tuple[str, ...] | None
    """The only classes allowed, others are quarantined; null allows any."""
    class_ids: dict[int, str]
    """For `tig`: class id → class name."""
    session_pattern: str | None
    """Regular expression on the path whose first group is the session. Null, and a path in which it finds nothing, leave
    it to the layout: run folder (tig), video or photo series told by the name (yolo), film (riawelc, gdxray), tile
    (masks_beside), else each file for itself."""
    label_priority: tuple[str, ...]
    """For `yolo`: all classes of data.yaml, worst first; an image gets the first that any of its boxes bears. Empty:
    images with boxes of several classes are quarantined."""
    label_if_empty: str | None
    """For `yolo`: class of an image without boxes; null quarantines it."""
    labels_file: str = Field(min_length=1)
    """For `labels_csv`: the csv, relative to the source folder."""
    mask_folders: tuple[str, ...] | None
    """For layouts of class folders: names of folders beside them that hold masks, `[]` where none does; null finds them by
    name (mask, ground_truth, label, annotations, …) and content, and stops where the two disagree."""


class ImageProbeParams(Params):
    """How an image is probed."""

    max_pixels: int = Field(ge=1, le=178_000_000)
    """Larger images are quarantined before they are decoded; Pillow refuses any above 179 million itself."""
    sample_bits: int | None = Field(default=None, ge=8, le=16)
    """Bits that the samples of 16-bit images truly have where their files do not say, as 10, 12 or 14 of many cameras;
    null takes them for 16. The bundle reads its images alike."""
    thumbnail_px: int = Field(ge=32, le=960)
    """Width of the image kept for the contact sheet."""
    n_workers: int = Field(ge=1, le=64)
    """Processes to decode in."""


class BalanceParams(Params):
    """How several kinds of defect become one class, as common as the good one."""

    defect_class: str = Field(min_length=1)
    """Name of the merged class."""
    per_class: dict[Split, NonNegativeInt]
    """Images wanted of each of the two classes in each split."""
    seed: int = Field(ge=0)
    """Seed of the draw."""

    @model_validator(mode="after")
    def _all_splits_are_named(self) -> "BalanceParams":
        if absent := [split for split in SPLITS if split not in self.per_class]:
            raise ValueError(f"per_class names no number for {', '.join(absent)}; 0 leaves a split empty")
        return self


class ContactSheetParams(Params):
    """What the contact sheet shows."""

    n_usable: int = Field(ge=0, le=500)
    """Usable recordings shown at most, picked evenly over classes."""
    n_quarantined: int = Field(ge=0, le=500)
    """Quarantined recordings shown at most, picked evenly over reasons."""
    n_columns: int = Field(ge=1, le=20)
    """Tiles a row."""
    tile_px: int = Field(ge=64, le=960)
    """Width of a tile."""
