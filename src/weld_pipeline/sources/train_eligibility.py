"""Train eligibility: a detector is fitted on good rows, and at most on the clean tiles of defective ones."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import SPLITS

DefectsInTrain = Literal["allow", "refuse", "clean_tiles"]
_N_SHOWN = 5
_LARGE_SHARE = 0.5


def may_train(
    manifest: pd.DataFrame, mask_px: Mapping[str, int], *, defects_in_train: DefectsInTrain
) -> pd.Series | None:
    """Return whether each row may stand in train; None where all may.

    Args:
        mask_px: Number of pixels that the mask of a sample marks, by sample id; samples without a mask are not in it.
        defects_in_train: Rows that may train. `allow`: every row. `refuse`: good ones. `clean_tiles`: also defective ones
            whose mask marks something, as its unmarked tiles are clean. An empty mask of a defective image shows nothing.

    Raises:
        WeldError: If no usable row may.
    """
    if defects_in_train == "allow":
        return None
    is_good = ~manifest["is_defect"].astype("boolean").fillna(True).astype(bool)
    is_marked = manifest["sample_id"].map(mask_px).fillna(0) > 0
    allowed = is_good | (is_marked if defects_in_train == "clean_tiles" else False)
    if not (allowed & (manifest["status"] == "ok")).any():
        raise WeldError(
            "splits: no usable image is good, and a detector is fitted on good ones; check index.good_class and the "
            "quarantine, or, of long images with masks, fit on clean tiles: split.defects_in_train=clean_tiles"
        )
    return allowed


def check_train(manifest: pd.DataFrame, allowed: pd.Series | None) -> None:
    """Refuse a train split that is empty or holds a row that may not train.

    Args:
        allowed: Result of `may_train`; None allows all.
    """
    if allowed is None:
        return
    is_train = manifest["split"] == "train"
    odd = manifest[is_train & ~allowed]
    if len(odd):
        raise WeldError(
            f"splits: {len(odd)} defective image(s) stand in train, and a detector is fitted on good ones: "
            f"{_some([f'{row.sample_id} ({row.label})' for row in odd.itertuples()])}; move them to test, deal anew with "
            "split.scheme=sessions, or mend index.good_class and index.class_aliases if they are good"
        )
    if not is_train.any():
        raise WeldError(
            "splits: train is empty: no whole session is free of defects, or the source has no train; name smaller groups "
            "by index.session_pattern, raise split.fractions.train, or add sessions of good images"
        )


def count_masks(manifest: pd.DataFrame, mask_px: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return for each split how many usable defective rows have a mask that marks something, an empty one, or none."""
    usable = manifest[(manifest["status"] == "ok") & manifest["is_defect"].astype("boolean").fillna(False)]
    px = usable["sample_id"].map(mask_px)
    kinds = {"marked": px > 0, "empty": px == 0, "without": px.isna()}
    return {
        split: {kind: int((is_of & (usable["split"] == split)).sum()) for kind, is_of in kinds.items()}
        for split in SPLITS
    }


def marked_px(manifest: pd.DataFrame, probes: Mapping[str, Any]) -> dict[str, int]:
    """Return how many pixels the mask of each sample marks; only the probes of usable samples with a mask are read."""
    masked = manifest[(manifest["status"] == "ok") & manifest["mask_path"].notna()]
    return {sample_id: probes[sample_id]["mask_px"] for sample_id in masked["sample_id"]}


def empty_mask_sentence(manifest: pd.DataFrame, mask_px: Mapping[str, int]) -> str | None:
    """Return a sentence that names the defective images whose mask is empty, or None where none is."""
    usable = manifest[(manifest["status"] == "ok") & manifest["is_defect"].astype("boolean").fillna(False)]
    empty = usable.loc[usable["sample_id"].map(mask_px) == 0, "sample_id"].tolist()
    if not empty:
        return None
    return f"{len(empty)} defective image(s) have an empty mask, so no pixel of theirs counts as defective: {_some(empty)}."


def large_mask_sentence(manifest: pd.DataFrame, mask_px: Mapping[str, int]) -> str | None:
    """Return a sentence that names the images over half of which is marked: their masks may be inverted."""
    usable = manifest[(manifest["status"] == "ok") & manifest["sample_id"].isin(mask_px)]
    if usable.empty:
        return None
    share = usable["sample_id"].map(mask_px) / (usable["width"] * usable["height"]).astype(float)
    large = usable.loc[share > _LARGE_SHARE, "sample_id"].tolist()
    if not large:
        return None
    return (
        f"{len(large)} mask(s) mark over half of the image, as inverted ones do: {_some(large)}; check what they mark."
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _N_SHOWN
    return ", ".join(names[:_N_SHOWN]) + (f" and {more} more" if more > 0 else "")
