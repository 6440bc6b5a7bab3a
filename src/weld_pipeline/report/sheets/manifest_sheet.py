"""Manifest rows as tiles of a contact sheet."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from weld_pipeline.report.sheets.contact_sheet import Tile, pick_evenly


def manifest_tiles(
    manifest: pd.DataFrame, probes: Mapping[str, dict[str, Any]], *, n_usable: int, n_quarantined: int
) -> list[Tile]:
    """Return tiles of usable rows, evenly over classes, then of quarantined ones, evenly over reasons.

    Args:
        probes: Stored probes by sample id; only those shown are read.
        n_usable: Usable rows shown at most.
        n_quarantined: Quarantined rows shown at most.
    """
    is_ok = manifest["status"] == "ok"
    rows = manifest.assign(text=_captions(manifest), kind=manifest["reason"].astype("string").str.split(":").str[0])
    shown = [
        *pick_evenly([_tile(row, str(row.label)) for row in rows[is_ok].itertuples()], n_usable),
        *pick_evenly([_tile(row, str(row.kind)) for row in rows[~is_ok].itertuples()], n_quarantined),
    ]
    return [tile.with_thumbnail(probes[tile.key]["thumbnail"]) if tile.key in probes else tile for tile in shown]


def _captions(manifest: pd.DataFrame) -> pd.Series:
    # A column without any value comes back from parquet as a number.
    label, split, reason = (manifest[name].astype("string").fillna("") for name in ("label", "split", "reason"))
    return label + " · " + split.where(manifest["status"] == "ok", reason)


def _tile(row: Any, group: str) -> Tile:
    name = row.run_id if isinstance(row.run_id, str) else row.sample_id
    return Tile(key=row.sample_id, title=name, text=row.text, group=group, is_flagged=row.status != "ok")


def manifest_heading(manifest: pd.DataFrame, *, n_shown: int) -> str:
    """Return the line above a sheet: how many rows there are, are usable, and are shown."""
    n_ok = int((manifest["status"] == "ok").sum())
    kinds = set(manifest["media"])
    what = {"image": "images", "video": "recordings"}[kinds.pop()] if len(kinds) == 1 else "samples"
    return f"{len(manifest)} {what}, {n_ok} usable, {len(manifest) - n_ok} quarantined (red); {n_shown} shown"
