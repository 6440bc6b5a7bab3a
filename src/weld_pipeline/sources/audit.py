"""Audit of splits: sessions and copies that cross, and labels that session, set-up or brightness give away."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import DRAWN, SPLITS
from weld_pipeline.evaluation.confounds import brightness_baseline, lookup_baseline, transferred_lookup

TIE_RULE = "ties go to the label commoner among all other rows, then alphabetically"
_N_SHOWN = 20
_MIN_ROWS = 2
_ROWS = ("indexed", "usable")


def audit_splits(
    manifest: pd.DataFrame, near_duplicates: pd.DataFrame, *, allow_leakage: bool, is_fit_on_good: bool = False
) -> dict[str, Any]:
    """Return the audit of a split manifest as JSON values.

    It holds counts of rows and of reasons for quarantine, sessions and classes per split, `crossings` (which stop the run
    unless leakage is allowed), `banners` (which every later report must print), `confounds`, and `warnings` as sentences.

    Args:
        manifest: All rows; usable ones have a split.
        near_duplicates: Pairs of usable rows that show the same weld: sample_id, other_id.
        is_fit_on_good: Whether defects train nothing, as of detectors: then only the test must have each of them.
    """
    usable = manifest[manifest["status"] == "ok"]
    crossings = find_crossings(usable, near_duplicates)
    return {
        "n_rows": len(manifest),
        "n_ok": len(usable),
        "n_quarantined": len(manifest) - len(usable),
        "quarantined_by_reason": count_reasons(manifest),
        "n_sessions": int(usable["session"].nunique()),
        "splits": {split: _describe_split(usable[usable["split"] == split]) for split in SPLITS},
        "crossings": crossings,
        "config_crossings": _groups_in_several_splits(usable, "config"),  # reported, not forbidden: see `session`
        "n_near_duplicates": len(near_duplicates),
        "duplicate_run_ids": _duplicate_run_ids(manifest),
        "confounds": {
            "indexed": confound_scores(manifest[manifest["label"].notna() & manifest["session"].notna()]),
            "usable": confound_scores(usable),
            "tie_rule": TIE_RULE,
        },
        "allow_leakage": allow_leakage,
        "banners": _banners(usable, crossings if allow_leakage else None),
        "warnings": _warnings(usable, is_fit_on_good=is_fit_on_good),
    }


def find_crossings(usable: pd.DataFrame, near_duplicates: pd.DataFrame) -> dict[str, Any]:
    """Return what stands in more than one split: sessions with their rows per split, and near-duplicate pairs."""
    split_of = dict(zip(usable["sample_id"], usable["split"], strict=True))
    pairs = zip(near_duplicates["sample_id"], near_duplicates["other_id"], strict=True)
    return {
        "sessions": _groups_in_several_splits(usable, "session"),
        "near_duplicates": [
            {"sample_id": one, "split": split_of[one], "other_id": other, "other_split": split_of[other]}
            for one, other in pairs
            if split_of[one] != split_of[other]
        ],
    }


def describe_crossings(crossings: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each kind of crossing there is, with the offenders."""
    sessions = [
        f"{name} ({', '.join(f'{split} {n}' for split, n in rows.items())})"
        for name, rows in crossings["sessions"].items()
    ]
    pairs = [
        f"{pair['sample_id']} ({pair['split']}) and {pair['other_id']} ({pair['other_split']})"
        for pair in crossings["near_duplicates"]
    ]
    sentences = []
    if sessions:
        sentences.append(f"{len(sessions)} session(s) stand in more than one split: {_some(sessions)}.")
    if pairs:
        sentences.append(
            f"{len(pairs)} pair(s) of near-duplicate recordings stand in different splits: {_some(pairs)}."
        )
    return sentences


def refuse_crossings(crossings: Mapping[str, Any]) -> None:
    """Refuse splits that something crosses."""
    if sentences := describe_crossings(crossings):
        raise WeldError(
            f"splits: {' '.join(sentences)} Set split.scheme of the ingestion to `sessions`, or take the leak knowingly with "
            "its split.allow_leakage=true, which every report will say"
        )


def count_reasons(manifest: pd.DataFrame) -> dict[str, int]:
    """Return how many rows were quarantined for each kind of reason, commonest first."""
    kinds = manifest.loc[manifest["status"] == "quarantined", "reason"].astype("string").str.split(":").str[0]
    counts = kinds.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {str(kind): int(n) for kind, n in counts.items()}


def probe_warnings(manifest: pd.DataFrame, probes: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each kind of doubt that the probes of usable rows have, with its rows.

    Args:
        probes: Probe of each sample as JSON values, by sample id.
    """
    found: dict[str, dict[str, str]] = {}
    for name in manifest.loc[manifest["status"] == "ok", "sample_id"]:
        for warning in probes[name].get("warnings") or ():
            found.setdefault(warning.split(":")[0], {})[name] = warning
    return [_doubt_sentence(rows) for rows in found.values()]


def _doubt_sentence(rows: Mapping[str, str]) -> str:
    """Return one row's doubt with the names of all that share its kind; numbers in it are those of the first."""
    first, *others = rows.values()
    alike = "So" if set(others) <= {first} else f"So {next(iter(rows))}, and with numbers of their own all of"
    return f"{first}. {alike} {len(rows)} row(s): {_some(list(rows))}."


def class_by_session(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the number of labelled rows of each class (column) in each session (row), with the session's splits.

    Quarantined rows count: the table shows how the data were recorded.
    """
    known = manifest[manifest["label"].notna()].assign(
        session=lambda rows: rows["session"].astype("string").fillna("unknown")
    )
    counts = pd.crosstab(known["session"], known["label"])
    usable = known[known["status"] == "ok"]
    splits = usable.groupby("session")["split"].agg(lambda column: ", ".join(sorted(set(column), key=SPLITS.index)))
    table = counts.reset_index()
    table.insert(1, "splits", table["session"].map(splits).astype("string").fillna(""))
    table.insert(2, "n_usable", table["session"].map(usable["session"].value_counts()).fillna(0).astype(int))
    table.columns.name = None
    return table


def confound_scores(rows: pd.DataFrame) -> dict[str, Any]:
    """Return how well nothing, session, set-up and mean brightness alone predict the label.

    Each look-up leaves out the row it guesses, brightness leaves out the row's whole session; see
    `evaluation.confounds`.

    Args:
        rows: Rows with label, session, config, mean_luma; rows without a value are left out of that look-up.

    Returns:
        For each column n, n_groups, accuracy and balanced_accuracy, or n and `unknown` with the reason.
    """
    return {column: _confound_score(rows, column) for column in ("majority", "session", "config", "mean_luma")}


def confound_table(confounds: Mapping[str, Any]) -> pd.DataFrame:
    """Return the look-ups of an audit as a table: rows (indexed or usable), column, n, accuracy, ….

    Args:
        confounds: `confounds` of `audit_splits`.
    """
    scores = {(rows, column): score for rows in _ROWS for column, score in confounds[rows].items()}
    table = pd.DataFrame.from_dict(
        scores, orient="index", columns=["n", "n_groups", "accuracy", "balanced_accuracy", "unknown"]
    )
    return table.rename_axis(["rows", "column"]).reset_index()


def _confound_score(rows: pd.DataFrame, column: str) -> dict[str, Any]:
    rows = rows.assign(majority="all")
    known = rows[rows[column].notna()]
    if len(known) < _MIN_ROWS:
        return {"n": len(known), "unknown": "fewer than two rows have a value"}
    if column == "mean_luma" and known["session"].nunique() < _MIN_ROWS:
        return {"n": len(known), "unknown": "all rows are of one session, and none is left when it is left out"}
    labels = known["label"].astype(str).to_numpy()
    hit = _guess(known, column) == labels
    return {
        "n": len(known),
        "n_groups": int(known["session" if column == "mean_luma" else column].nunique()),
        "accuracy": float(hit.mean()),
        "balanced_accuracy": float(pd.Series(hit).groupby(labels).mean().mean()),
    }


def _guess(known: pd.DataFrame, column: str) -> Shaped[np.ndarray, " N"]:
    labels = known["label"].astype(str).tolist()
    if column == "mean_luma":
        return brightness_baseline(labels, known[column].to_numpy(float), known["session"].astype(str).tolist())
    groups = known[column].astype(str).tolist()
    # Leaving one out of two equal classes would turn each against itself, so the majority keeps its row.
    return transferred_lookup(labels, groups, groups) if column == "majority" else lookup_baseline(labels, groups)


def _groups_in_several_splits(usable: pd.DataFrame, column: str) -> dict[str, dict[str, int]]:
    table = pd.crosstab(usable[column], usable["split"])
    crossing = table[(table > 0).sum(axis=1) > 1]
    return {
        str(name): {split: int(row[split]) for split in SPLITS if row.get(split, 0)}
        for name, row in crossing.iterrows()
    }


def _describe_split(rows: pd.DataFrame) -> dict[str, Any]:
    classes = rows["label"].value_counts().sort_index()
    return {
        "n": len(rows),
        "n_sessions": int(rows["session"].nunique()),
        "classes": {str(name): int(n) for name, n in classes.items()},
    }


def _duplicate_run_ids(manifest: pd.DataFrame) -> dict[str, list[str]]:
    rows = manifest[manifest["run_id"].notna()]
    again = rows[rows["run_id"].duplicated(keep=False)]
    return {str(run_id): same["sample_id"].tolist() for run_id, same in again.groupby("run_id")}


def _banners(usable: pd.DataFrame, leaks: Mapping[str, Any] | None) -> list[str]:
    banners = []
    if leaks and (sentences := describe_crossings(leaks)):
        banners.append(f"LEAKAGE ALLOWED: {' '.join(sentences)} Scores on held-out rows are too good to be true.")
    n_drawn = int((usable["source"] == DRAWN).sum())
    if n_drawn:
        banners.append(f"DRAWN DATA: {n_drawn} of {len(usable)} usable samples were drawn; no number here is a result.")
    return banners


def _warnings(usable: pd.DataFrame, *, is_fit_on_good: bool) -> list[str]:
    warnings = []
    n_sessions = int(usable["session"].nunique())
    if len(usable) > 1 and n_sessions == len(usable):
        warnings.append(
            "Every recording is its own session: files of one weld would cross splits unseen. Give a session column "
            "or index.session_pattern of the ingestion if some belong together."
        )
    empty = [split for split in SPLITS if not (usable["split"] == split).any()]
    if empty:
        warnings.append(
            f"No usable row in {', '.join(empty)}: {len(usable)} row(s) in {n_sessions} session(s) are too few."
        )
    for label, rows in usable.groupby("label"):
        needed = ["test"] if is_fit_on_good and rows["is_defect"].all() else SPLITS
        absent = [split for split in needed if split not in empty and not (rows["split"] == split).any()]
        if absent:
            n_own = int(rows["session"].nunique())
            warnings.append(f"Class {label} has no row in {', '.join(absent)}: it stands in {n_own} session(s).")
    return warnings


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _N_SHOWN
    return ", ".join(names[:_N_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
