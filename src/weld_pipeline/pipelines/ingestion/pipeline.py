"""Wiring of `ingestion`: one of footage, one of images."""

from typing import Literal

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines.ingestion import nodes
from weld_pipeline.pipelines.step import step

# What counts as arc and as too short is what the video classifier sees, so the clip parameters are its own.
_WINDOWS = "params:video_classifier.windows"


def create_pipeline(source: str, *, media: Literal["video", "image"]) -> Pipeline:
    """Return the pipeline from a source's raw files to its manifest, in its namespace.

    Args:
        source: Namespace; its parameters are `<source>.index`, `.probe`, `.split`, `.contact_sheet` and, of images,
            `.balance`.
    """
    return Pipeline(
        [_footage() if media == "video" else _images(), _release()],
        namespace=source,
        parameters={_WINDOWS} if media == "video" else None,
        tags={"ingestion"},
        prefix_datasets_with_namespace=True,
    )


def _footage() -> Pipeline:
    return Pipeline(
        [
            step(nodes.index_footage, ["raw", "params:index"], "index"),
            step(nodes.plan_probes, ["raw", "index", _WINDOWS, "params:probe"], "probes"),
            step(nodes.build_manifest, ["index", "probes", "params:index", "params:split"], "probed_manifest"),
            step(nodes.find_near_duplicates, ["probed_manifest", "probes"], "near_duplicates"),
            step(
                nodes.split_manifest,
                ["probed_manifest", "index", "near_duplicates", "probes", "params:split"],
                "proposed_manifest",
            ),
        ]
    )


def _images() -> Pipeline:
    """Return the same of images, whose classes are balanced after the split: every kind of defect is known by then."""
    return Pipeline(
        [
            step(nodes.index_images, ["raw", "params:index"], "index"),
            step(nodes.plan_image_probes, ["raw", "index", "params:probe"], "probes"),
            step(nodes.build_image_manifest, ["index", "probes", "params:index", "params:split"], "probed_manifest"),
            step(nodes.find_near_duplicate_images, ["probed_manifest", "probes"], "near_duplicates"),
            step(
                nodes.split_manifest,
                ["probed_manifest", "index", "near_duplicates", "probes", "params:split"],
                "dealt_manifest",
            ),
            step(
                nodes.balance_classes,
                ["dealt_manifest", "params:index", "params:balance"],
                ["proposed_manifest", "balance_report"],
            ),
        ]
    )


def _release() -> Pipeline:
    """Return the nodes from the proposed manifest to the released one.

    The audit and the images depend on the proposed manifest, the released one on the audit and so comes after them:
    when a crossing stops the run, everything that explains it is there.
    """
    return Pipeline(
        [
            step(
                nodes.audit_splits,
                ["proposed_manifest", "near_duplicates", "probes", "params:split"],
                ["split_audit", "confound_scores"],
            ),
            step(nodes.tabulate_class_by_session, "proposed_manifest", ["class_by_session", "class_by_session_plot"]),
            step(nodes.tabulate_quarantine, "proposed_manifest", "quarantine"),
            step(nodes.draw_contact_sheet, ["proposed_manifest", "probes", "params:contact_sheet"], "contact_sheet"),
            step(nodes.release_manifest, ["proposed_manifest", "split_audit"], "manifest"),
        ]
    )
