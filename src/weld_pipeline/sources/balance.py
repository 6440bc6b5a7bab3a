"""Class balance: kinds of defect become one class, and good and defective rows are drawn in equal numbers.

The rows have their splits already, and a drawn row stays in its session's split. Rows that are not drawn are quarantined;
none is lost. The kind of a defect stays in the index, under the same sample_id.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import MANIFEST, SPLITS, checked


def draw_balanced(
    manifest: pd.DataFrame, *, good_class: str, defect_class: str, per_class: Mapping[str, int], seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the manifest of two classes, and what was drawn in each split.

    In each split both classes get the same number: what is wanted, or what the scarcer one has. The defect class takes an
    equal number of each kind of defect; where a kind has too few, the others make up for it equally.

    Args:
        manifest: Rows with splits; `is_defect` marks the defective ones.
        good_class: Name of the class that is no defect; it stays.
        defect_class: Name of the merged class.
        per_class: Number of rows wanted of each class in each split; a split that is not named gets none.
        seed: Seed of the draw; the result does not depend on the order of the rows.

    Returns:
        The manifest, and for each split with rows or wishes `wanted`, `got`, `available` (good, defect), `per_type`
        (available and got of each kind of defect), and `unfilled`: a sentence for each wish that was not met.

    Raises:
        WeldError: If the merged class has the name of the good one, or if no good row or no defective row is usable.
    """
    if defect_class == good_class:
        raise WeldError(f"balance: both classes are called {good_class!r}; set balance.defect_class to another name")
    usable = manifest[manifest["status"] == "ok"].sort_values("sample_id")
    for name, rows in (("good", usable[~usable["is_defect"]]), ("defective", usable[usable["is_defect"]])):
        if rows.empty:
            raise WeldError(f"balance: no usable row is {name}; check index.good_class, or set balance to null")
    generator = np.random.default_rng(seed)
    drawn: set[str] = set()
    report: dict[str, Any] = {}
    for split in SPLITS:
        rows, wanted = usable[usable["split"] == split], per_class.get(split, 0)
        if len(rows) or wanted:
            ids, report[split] = _draw_split(rows, wanted=wanted, generator=generator)
            drawn |= ids
    return _with_drawn(manifest, drawn, defect_class=defect_class), {
        "splits": report,
        "unfilled": _unfilled(report, good_class=good_class, defect_class=defect_class),
    }


def equal_shares(available: Mapping[str, int], total: int) -> dict[str, int]:
    """Return how many rows to take of each kind: `total` in all if there are so many, in shares as equal as possible.

    Of two kinds that could give one more, the one with more rows does, then the first by name.

    >>> equal_shares({"crack": 50, "pore": 3, "burn": 50}, 23)
    {'crack': 10, 'pore': 3, 'burn': 10}
    """
    take = dict.fromkeys(available, 0)
    for _ in range(min(total, sum(available.values()))):
        open_kinds = [kind for kind in available if take[kind] < available[kind]]
        take[min(open_kinds, key=lambda kind: (take[kind], -available[kind], kind))] += 1
    return take


def _draw_split(rows: pd.DataFrame, *, wanted: int, generator: np.random.Generator) -> tuple[set[str], dict[str, Any]]:
    """Return the ids drawn in a split, and their counts."""
    good, defective = rows[~rows["is_defect"]], rows[rows["is_defect"]]
    got = min(wanted, len(good), len(defective))
    available = {str(kind): int(n) for kind, n in defective["label"].value_counts().sort_index().items()}
    shares = equal_shares(available, got)
    ids = set(generator.permutation(good["sample_id"].to_numpy())[:got])
    for kind, share in shares.items():
        of_kind = defective.loc[defective["label"] == kind, "sample_id"].to_numpy()
        ids |= set(generator.permutation(of_kind)[:share])
    return ids, {
        "wanted": wanted,
        "got": got,
        "available": {"good": len(good), "defect": len(defective)},
        "per_type": {kind: {"available": available[kind], "got": share} for kind, share in shares.items()},
    }


def _with_drawn(manifest: pd.DataFrame, drawn: set[str], *, defect_class: str) -> pd.DataFrame:
    is_left = (manifest["status"] == "ok") & ~manifest["sample_id"].isin(drawn)
    reason = "not_drawn: the balanced classes of its split are full; raise balance.per_class to use it"
    return checked(
        manifest.assign(
            label=manifest["label"].mask(manifest["is_defect"].fillna(False), defect_class),
            split=manifest["split"].mask(is_left),
            status=manifest["status"].mask(is_left, "quarantined"),
            reason=manifest["reason"].mask(is_left, reason),
        ),
        MANIFEST,
    )


def _unfilled(report: Mapping[str, Any], *, good_class: str, defect_class: str) -> list[str]:
    sentences = []
    for split, account in report.items():
        wanted, got, available = account["wanted"], account["got"], account["available"]
        if got < wanted:
            sentences.append(
                f"{split}: {got} of {wanted} a class; there are {available['good']} {good_class} and "
                f"{available['defect']} {defect_class}."
            )
        kinds = account["per_type"]
        even = got // len(kinds) if kinds else 0
        if scarce := [f"{kind} {one['got']}" for kind, one in kinds.items() if one["got"] < even]:
            sentences.append(f"{split}: too few for an equal share of {even}: {', '.join(scarce)}.")
    return sentences
