"""Sample choice: usable rows, classes in their order, ids of a split."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import SPLITS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassList:
    """The classes in the order of logits and probabilities.

    Attributes:
        good: Name of the class that is no defect.
    """

    names: tuple[str, ...]
    good: str

    @property
    def good_index(self) -> int:
        """Return the position of the good class."""
        return self.names.index(self.good)


def usable_rows(manifest: pd.DataFrame, *, media: Literal["video", "image"]) -> pd.DataFrame:
    """Return the rows of usable samples of a kind, in the manifest's order.

    Raises:
        WeldError: If there is none.
    """
    usable = manifest[(manifest["status"] == "ok") & (manifest["media"] == media)]
    if usable.empty:
        reasons = ", ".join(sorted(set(manifest["reason"].dropna()))[:3]) or f"the manifest holds no {media}"
        raise WeldError(
            f"none of {len(manifest)} rows of the manifest is a usable {media} ({reasons}); see the quarantine report"
        )
    return usable


def choose_classes(runs: pd.DataFrame, *, order: Sequence[str], needed: Collection[str] = SPLITS) -> ClassList:
    """Return the classes of the train split.

    Args:
        runs: Usable rows of the manifest.
        order: Classes that come first, in this order; others follow by name.
        needed: Splits that must not be empty.

    Raises:
        WeldError: If a needed split is empty, if there is not exactly one good class, if a class is called `defect`, or if
            a class of another split has no sample in train, so that no network can know it.
    """
    count = {split: int((runs["split"] == split).sum()) for split in SPLITS}
    if empty := [split for split, n in count.items() if n == 0 and split in needed]:
        raise WeldError(
            f"split {empty[0]} is empty ({count}); record more sessions, or raise its share in split.fractions of its ingestion"
        )
    trained = set(runs.loc[runs["split"] == "train", "label"])
    if untrained := sorted(set(runs["label"]) - trained):
        rows = runs[runs["label"] == untrained[0]]
        places = ", ".join(sorted(set(rows["split"])))
        raise WeldError(
            f"class {untrained[0]!r} has {len(rows)} sample(s), all in {places} and none in train; it needs sessions enough for "
            "all splits, or must be left out by index.classes of its ingestion"
        )
    if "defect" in trained:
        raise WeldError(
            "class 'defect': the probability of this class and the calibrated `p_defect` would bear one name; "
            "call it defective by index.class_aliases, or balance.defect_class, of its ingestion"
        )
    good = sorted(set(runs.loc[~runs["is_defect"].astype(bool), "label"]))
    if len(good) != 1:
        raise WeldError(f"good classes are {good}; exactly one is needed, name it in index.good_class of its ingestion")
    first = [name for name in order if name in trained]
    return ClassList(tuple(first + sorted(trained - set(first))), good[0])


def with_clips(runs: pd.DataFrame, n_clips: pd.Series) -> pd.DataFrame:
    """Return the runs that have a clip; the others are named in a warning.

    Args:
        n_clips: Number of clips by sample id.

    Raises:
        WeldError: If no run is left.
    """
    counts = runs["sample_id"].map(n_clips)
    empty = list(runs.loc[counts == 0, "sample_id"])
    if empty:
        logger.warning("%d of %d runs have no clip and are left out: %s", len(empty), len(runs), ", ".join(empty[:10]))
    if len(empty) == len(runs):
        raise WeldError(f"none of {len(runs)} runs has a clip; lower the window, or look at the arc gate")
    return runs[counts > 0]


def ids_of(runs: pd.DataFrame, split: str) -> list[str]:
    """Return the sample ids of a split.

    Raises:
        WeldError: If there is none.
    """
    chosen = runs[runs["split"] == split]
    if chosen.empty:
        labels = ", ".join(sorted(set(runs["label"])))
        raise WeldError(
            f"split {split} holds no run of {labels}; give it a session of them, or change split.seed of the ingestion"
        )
    return list(chosen["sample_id"])
