"""Manifest rows from index and probes, each usable or quarantined with its reason."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from weld_pipeline.core.tables import MANIFEST, checked
from weld_pipeline.media.fingerprints import near_duplicate_images, near_duplicates
from weld_pipeline.media.probe import Probe
from weld_pipeline.sources.session_splits import session_components

SessionBy = Literal["date", "config", "components"]
Media = Literal["video", "image"]
_PROBED = (
    "width", "height", "n_frames", "fps", "duration_s", "arc_start_s", "arc_on_s", "mean_luma", "n_bytes", "sha256",
    "sample_bits",
)  # fmt: skip


def join_probes(
    index: pd.DataFrame, probes: Mapping[str, Probe], *, media: Media, good_class: str | None, session_by: SessionBy
) -> pd.DataFrame:
    """Return the manifest, not yet split: one row for each row of the index, in its order.

    The reason of a quarantined row is the first of these: a problem of its source or its file, the same bytes as an earlier
    row, a mask that marks defects on a good row, no session.

    Args:
        index: Table of `IndexRow`.
        probes: Probe of each row without a problem, by sample id.
        good_class: Name of the class that is no defect; None where every class is one.
        session_by: Group that must not cross splits: the recording date (or what the source names instead: weld run,
            photo series), the configuration, or everything linked by either.
    """
    table = index.drop(columns=["source_split", "problem"]).assign(media=media, split=None)
    for name in _PROBED:
        table[name] = [getattr(probes[i], name) if i in probes else None for i in index["sample_id"]]
    is_defect = pd.Series(True, index=table.index) if good_class is None else table["label"] != good_class
    table["is_defect"] = is_defect.astype("boolean").mask(table["label"].isna())
    problems = [probes[i].problem if i in probes else None for i in index["sample_id"]]
    reason = index["problem"].astype("string").fillna(pd.Series(problems, index=index.index, dtype="string"))
    reason = reason.fillna(_duplicates(table[reason.isna()]))
    reason = reason.fillna(_contradictions(table, probes))
    table["session"] = _sessions(table, is_usable=reason.isna(), by=session_by)
    wanted = "configuration" if session_by == "config" else "date" if media == "video" else "series"
    nameless = f"no_session: its source gives no {wanted}; see split.session and index.session_pattern"
    reason = reason.mask(reason.isna() & table["session"].isna(), nameless)
    table["reason"] = reason
    table["status"] = reason.isna().map({True: "ok", False: "quarantined"})
    return checked(table[list(MANIFEST.columns)], MANIFEST)


def _duplicates(table: pd.DataFrame) -> pd.Series:
    """Return what is wrong with rows of the same bytes: all but the first, or all if their labels differ."""
    reasons = pd.Series(pd.NA, index=table.index, dtype="string")
    for _, same in table.groupby("sha256"):
        ids = same["sample_id"].tolist()
        if len(set(same["label"])) > 1:
            labels = ", ".join(f"{row.sample_id} is {row.label}" for row in same.itertuples())
            reasons[same.index] = f"label_conflict: the same bytes bear different labels ({labels}); keep the true one"
        elif len(ids) > 1:
            reasons[same.index[1:]] = f"duplicate: the same bytes as {ids[0]}, which is kept"
    return reasons


def _contradictions(table: pd.DataFrame, probes: Mapping[str, Probe]) -> pd.Series:
    """Return what is wrong with good rows on which a mask marks something."""
    marked = pd.Series([probes[i].mask_px if i in probes else None for i in table["sample_id"]], index=table.index)
    is_wrong = (table["is_defect"] == False).fillna(False) & (marked.fillna(0) > 0)  # noqa: E712 - may be unknown
    reasons = "label_conflict: its class is good, but its mask marks " + marked.astype("Int64").astype("string") + " px"
    return (reasons + "; mend one of them").where(is_wrong)


def _sessions(table: pd.DataFrame, *, is_usable: pd.Series, by: SessionBy) -> pd.Series:
    if by == "date":
        return table["session"]
    if by == "config":
        return table["config"]
    # Quarantined rows link nothing.
    usable = table[is_usable & table["session"].notna()]
    configs = [None if pd.isna(config) else str(config) for config in usable["config"]]
    names = session_components(usable["session"].tolist(), configs)
    return table["session"].mask(table.index.isin(usable.index), pd.Series(names, index=usable.index, dtype="string"))


def near_duplicate_table(manifest: pd.DataFrame, probes: Mapping[str, Probe]) -> pd.DataFrame:
    """Return the pairs of usable rows that show the same weld: sample_id, other_id."""
    marks = {
        sample_id: mark
        for sample_id in manifest.loc[manifest["status"] == "ok", "sample_id"]
        if (mark := probes[sample_id].fingerprint)
    }
    ids = list(marks)
    pairs = [(ids[first], ids[second]) for first, second in near_duplicates(list(marks.values())).tolist()]
    return pd.DataFrame(pairs, columns=["sample_id", "other_id"], dtype="string")


def near_duplicate_image_table(manifest: pd.DataFrame, probes: Mapping[str, Probe]) -> pd.DataFrame:
    """Return the pairs of usable images that are copies of each other in different sessions: sample_id, other_id."""
    usable = manifest[manifest["status"] == "ok"]
    marked = [
        (sample_id, session, scene)
        for sample_id, session in zip(usable["sample_id"], usable["session"], strict=True)
        if (scene := probes[sample_id].scene)
    ]
    positions = near_duplicate_images([scene for *_, scene in marked], [session for _, session, _ in marked])
    pairs = [(marked[first][0], marked[second][0]) for first, second in positions.tolist()]
    return pd.DataFrame(pairs, columns=["sample_id", "other_id"], dtype="string")
