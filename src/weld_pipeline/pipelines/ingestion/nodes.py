"""Nodes of `ingestion`."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from weld_pipeline import report, sources
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.pipelines.ingestion.params import (
    BalanceParams,
    ContactSheetParams,
    ImageIndexParams,
    ImageProbeParams,
    IndexParams,
    ProbeParams,
    SplitParams,
)
from weld_pipeline.pipelines.params import WindowParams

logger = logging.getLogger(__name__)


def index_footage(footage: SourceTree, params: IndexParams) -> pd.DataFrame:
    """Return a row for each recording the footage names."""
    return sources.layouts.rows.to_table(
        sources.footage_index.index_source(footage.root, sources.footage_index.Reading(**params.model_dump()))
    )


def plan_probes(
    footage: SourceTree, index: pd.DataFrame, windows: WindowParams, params: ProbeParams
) -> PendingItems[Any, dict[str, Any]]:
    """Return the decoding of every recording whose file is there, as work to be done where it is saved.

    What counts as arc and as too short is what the video classifier sees, so the clip parameters are its own.
    """
    present = index.loc[index["problem"].isna(), ["sample_id", "path"]]
    return sources.probing.pending_probes(
        footage.root,
        dict(zip(present["sample_id"], present["path"], strict=True)),
        gate=ArcGate(**windows.gate.model_dump()),
        window=windows.window,
        stride=windows.stride,
        **params.model_dump(),
    )


def index_images(images: SourceTree, params: ImageIndexParams) -> pd.DataFrame:
    """Return a row for each image the source names."""
    return sources.layouts.rows.to_table(
        sources.image_index.index_images(images.root, sources.image_index.ImageReading(**params.model_dump()))
    )


def plan_image_probes(
    images: SourceTree, index: pd.DataFrame, params: ImageProbeParams
) -> PendingItems[Any, dict[str, Any]]:
    """Return the reading of every image whose file is there, and of its mask, as work to be done where it is saved."""
    present = index.loc[index["problem"].isna(), ["sample_id", "path", "mask_path"]]
    paths = dict(zip(present["sample_id"], present["path"], strict=True))
    masked = present[present["mask_path"].notna()]
    masks = dict(zip(masked["sample_id"], masked["mask_path"], strict=True))
    return sources.probing.pending_image_probes(images.root, paths, masks=masks, **params.model_dump())


def build_manifest(
    indexed: pd.DataFrame, probes: Mapping[str, Any], index: IndexParams, split: SplitParams
) -> pd.DataFrame:
    """Return the manifest before splitting: every row usable, or quarantined with a reason."""
    found = sources.probing.read_probes(probes)
    return sources.manifest.join_probes(
        indexed, found, media="video", good_class=index.good_class, session_by=split.session
    )


def build_image_manifest(
    indexed: pd.DataFrame, probes: Mapping[str, Any], index: ImageIndexParams, split: SplitParams
) -> pd.DataFrame:
    """Return the manifest before splitting: every row usable, or quarantined with a reason."""
    found = sources.probing.read_probes(probes)
    return sources.manifest.join_probes(
        indexed, found, media="image", good_class=index.good_class, session_by=split.session
    )


def find_near_duplicates(probed_manifest: pd.DataFrame, probes: Mapping[str, Any]) -> pd.DataFrame:
    """Return the pairs of usable recordings that show the same weld."""
    return sources.manifest.near_duplicate_table(probed_manifest, sources.probing.read_probes(probes))


def find_near_duplicate_images(probed_manifest: pd.DataFrame, probes: Mapping[str, Any]) -> pd.DataFrame:
    """Return the pairs of usable images that are copies of each other in different sessions."""
    return sources.manifest.near_duplicate_image_table(probed_manifest, sources.probing.read_probes(probes))


def split_manifest(
    probed_manifest: pd.DataFrame,
    index: pd.DataFrame,
    near_duplicates: pd.DataFrame,
    probes: Mapping[str, Any],
    params: SplitParams,
) -> pd.DataFrame:
    """Return the manifest with a split for every usable row; of crossings nothing is checked yet."""
    fractions = {str(split): share for split, share in params.fractions.items()}
    copies = near_duplicates if params.keep_copies_together else None
    mask_px = sources.train_eligibility.marked_px(probed_manifest, probes)
    allowed = sources.train_eligibility.may_train(probed_manifest, mask_px, defects_in_train=params.defects_in_train)
    own = sources.splitting.follows_source(probed_manifest, index["source_split"], allowed)
    if params.scheme == "sessions" or (params.scheme == "auto" and not own):
        manifest = sources.splitting.split_by_session(
            probed_manifest, copies, fractions=fractions, seed=params.seed, may_train=allowed
        )
        sources.train_eligibility.check_train(manifest, allowed)
        return manifest
    manifest = sources.splitting.split_as_source(probed_manifest, index["source_split"])
    sources.train_eligibility.check_train(manifest, allowed)
    lacking = ("calib",) if allowed is None else ("valid", "calib")
    manifest = sources.splitting.cut_from_train(manifest, lacking, copies, fractions=fractions, seed=params.seed)
    return sources.splitting.give_test_to_calib(manifest, copies, share=params.test_to_calib, seed=params.seed)


def balance_classes(
    dealt_manifest: pd.DataFrame, index: ImageIndexParams, params: BalanceParams | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the manifest with good and defect equally common, and what was drawn; unchanged where nothing is asked."""
    if params is None:
        return dealt_manifest, {}
    if index.good_class is None:
        raise WeldError("balance: index.good_class is null, so there is no good class to balance; set balance to null")
    manifest, drawn = sources.balance.draw_balanced(
        dealt_manifest,
        good_class=index.good_class,
        defect_class=params.defect_class,
        per_class={str(split): n for split, n in params.per_class.items()},
        seed=params.seed,
    )
    for sentence in drawn["unfilled"]:
        logger.warning("balance: %s", sentence)
    return manifest, drawn


def audit_splits(
    proposed_manifest: pd.DataFrame, near_duplicates: pd.DataFrame, probes: Mapping[str, Any], params: SplitParams
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the audit with what masks there are, and its confound look-ups as a table."""
    audit = sources.audit.audit_splits(
        proposed_manifest,
        near_duplicates,
        allow_leakage=params.allow_leakage,
        is_fit_on_good=params.defects_in_train == "refuse",
    )
    mask_px = sources.train_eligibility.marked_px(proposed_manifest, probes)
    audit["masks"] = sources.train_eligibility.count_masks(proposed_manifest, mask_px) if mask_px else {}
    if sentence := sources.train_eligibility.empty_mask_sentence(proposed_manifest, mask_px):
        audit["warnings"].append(sentence)
    if sentence := sources.train_eligibility.large_mask_sentence(proposed_manifest, mask_px):
        audit["warnings"].append(sentence)
    audit["warnings"] += sources.audit.probe_warnings(proposed_manifest, probes)
    for sentence in [*audit["banners"], *audit["warnings"]]:
        logger.warning(sentence)
    return audit, sources.audit.confound_table(audit["confounds"])


def tabulate_class_by_session(proposed_manifest: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    """Return how many rows of each class each session holds, as a table and a figure."""
    table = sources.audit.class_by_session(proposed_manifest)
    return table, report.audit_figure.plot_class_by_session(table)


def tabulate_quarantine(proposed_manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that cannot be used, with their reasons."""
    rows = proposed_manifest[proposed_manifest["status"] == "quarantined"]
    return rows[["sample_id", "reason", "label", "session", "config", "path"]].reset_index(drop=True)


def draw_contact_sheet(
    proposed_manifest: pd.DataFrame, probes: Mapping[str, Any], params: ContactSheetParams
) -> UInt8[np.ndarray, "H W 3"]:
    """Return an image of the recordings, quarantined ones framed in red."""
    tiles = report.sheets.manifest_sheet.manifest_tiles(
        proposed_manifest, probes, n_usable=params.n_usable, n_quarantined=params.n_quarantined
    )
    heading = report.sheets.manifest_sheet.manifest_heading(proposed_manifest, n_shown=len(tiles))
    return report.sheets.contact_sheet.draw_sheet(
        tiles, heading=heading, n_columns=params.n_columns, tile_px=params.tile_px
    )


def release_manifest(proposed_manifest: pd.DataFrame, split_audit: dict[str, Any]) -> pd.DataFrame:
    """Return the manifest, unless sessions or copies cross splits and that is not allowed."""
    if not split_audit["allow_leakage"]:
        sources.audit.refuse_crossings(split_audit["crossings"])
    return proposed_manifest
