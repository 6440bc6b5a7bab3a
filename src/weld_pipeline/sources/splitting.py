"""Splits of manifest rows: dealt by whole sessions, or as the source proposes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import MANIFEST, checked
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD
from weld_pipeline.sources.session_splits import assign_splits, merge_sessions


def split_by_session(
    manifest: pd.DataFrame,
    copies: pd.DataFrame | None,
    *,
    fractions: Mapping[str, float],
    seed: int,
    may_train: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the manifest with its usable rows dealt to the splits by whole sessions, classes balanced.

    Args:
        copies: Pairs of usable rows, sample_id and other_id, whose sessions go to the same split; None ignores copies.
        may_train: Whether each row of the manifest may stand in train; None where all may.
    """
    usable = manifest[manifest["status"] == "ok"]
    groups = _groups(usable, copies)
    splits = _assign(usable, groups, fractions=fractions, seed=seed, may_train=may_train)
    return _with_splits(manifest, pd.Series(splits, index=usable.index, dtype="string"))


def follows_source(manifest: pd.DataFrame, source_split: pd.Series, may_train: pd.Series | None) -> bool:
    """Return whether to follow the source's own splits: it proposes some, and all its train rows may train.

    Args:
        source_split: The source's own word for each row of the manifest, in the same order.
        may_train: Whether each row may stand in train; None where all may.
    """
    words = source_split[manifest["status"] == "ok"].astype("string").str.strip().str.casefold().map(SPLIT_OF_WORD)
    train = words.index[words == "train"]
    return len(train) > 0 and (may_train is None or bool(may_train[train].all()))


def split_as_source(manifest: pd.DataFrame, source_split: pd.Series) -> pd.DataFrame:
    """Return the manifest split as its source proposes; a usable row without a split is quarantined.

    Args:
        source_split: The source's own word for each row of the manifest, in the same order.

    Raises:
        WeldError: If the source proposes a split for no row.
    """
    if source_split.isna().all():
        raise WeldError("splits: the source proposes none (no SPLIT or split column); set split.scheme=sessions")
    is_ok = manifest["status"] == "ok"
    words = source_split.astype("string").fillna("")
    splits = words.str.strip().str.casefold().map(SPLIT_OF_WORD).astype("string")
    nameless = is_ok & splits.isna()
    reasons = "no_split: its source says " + words.map(repr) + "; write TRAIN, VAL, CALIB or TEST there"
    manifest = manifest.assign(
        reason=manifest["reason"].mask(nameless, reasons), status=manifest["status"].mask(nameless, "quarantined")
    )
    return _with_splits(manifest, splits[is_ok & ~nameless])


def cut_from_train(
    manifest: pd.DataFrame,
    lacking: Sequence[str],
    copies: pd.DataFrame | None,
    *,
    fractions: Mapping[str, float],
    seed: int,
) -> pd.DataFrame:
    """Return the manifest with empty splits filled from train, by whole sessions.

    Args:
        lacking: Splits to fill; one that has rows, or whose fraction is 0, is left alone.
        fractions: Wanted share of each split; only those of train and of the filled splits are used.
    """
    cut = [split for split in lacking if not (manifest["split"] == split).any() and fractions[split] > 0]
    train = manifest[manifest["split"] == "train"]
    if not cut or train.empty:
        return manifest
    whole = sum(fractions[split] for split in ("train", *cut))
    shares = {split: fractions[split] / whole for split in ("train", *cut)}
    return _dealt_anew(manifest, train, _assign(train, _groups(train, copies), fractions=shares, seed=seed))


def give_test_to_calib(manifest: pd.DataFrame, copies: pd.DataFrame | None, *, share: float, seed: int) -> pd.DataFrame:
    """Return the manifest with some of the defective sessions of test moved to calib.

    A threshold of the best F1 needs good and defective rows, and is never chosen on test.

    Args:
        share: Share of these sessions' rows, of every class; 0 leaves test whole.
    """
    test = manifest[manifest["split"] == "test"]
    groups = pd.Series(_groups(test, copies), index=test.index, dtype="string")
    defective = test[groups.isin(set(groups[test["is_defect"].astype(bool)]))]
    if share <= 0 or defective.empty:
        return manifest
    shares = {"calib": share, "test": 1 - share}
    moved = _assign(defective, groups[defective.index].tolist(), fractions=shares, seed=seed)
    return _dealt_anew(manifest, defective, moved)


def _groups(rows: pd.DataFrame, copies: pd.DataFrame | None) -> list[str]:
    """Return for each row the name of its session and of those that copies link it to."""
    session_of = dict(zip(rows["sample_id"], rows["session"], strict=True))
    pairs = [] if copies is None else zip(copies["sample_id"], copies["other_id"], strict=True)
    links = [(session_of[one], session_of[other]) for one, other in pairs if one in session_of and other in session_of]
    group_of = merge_sessions(session_of.values(), links)
    return [group_of[session] for session in rows["session"]]


def _assign(
    rows: pd.DataFrame,
    groups: Sequence[str],
    *,
    fractions: Mapping[str, float],
    seed: int,
    may_train: pd.Series | None = None,
) -> Shaped[np.ndarray, " N"]:
    labels, is_defect = rows["label"].tolist(), rows["is_defect"].astype(bool).tolist()
    allowed = None if may_train is None else may_train[rows.index].tolist()
    return assign_splits(labels, groups, is_defect=is_defect, fractions=fractions, seed=seed, may_train=allowed)


def _dealt_anew(manifest: pd.DataFrame, rows: pd.DataFrame, splits: Shaped[np.ndarray, " N"]) -> pd.DataFrame:
    """Return the manifest with other splits for some of its rows."""
    column = manifest["split"].astype("string")
    column.loc[rows.index] = splits
    return _with_splits(manifest, column)


def _with_splits(manifest: pd.DataFrame, splits: pd.Series) -> pd.DataFrame:
    return checked(manifest.assign(split=splits.reindex(manifest.index)), MANIFEST)
