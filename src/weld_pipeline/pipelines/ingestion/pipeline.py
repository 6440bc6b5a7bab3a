"""Wiring of `ingestion`: one of footage, one of images."""

from typing import Literal

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.ingestion import nodes

# What counts as arc and as too short is what the video classifier sees, so the clip parameters are its own.
_WINDOWS = "params:video_classifier.windows"


def create_pipeline(source: str, *, media: Literal["video", "image"]) -> Pipeline:
    """Return the pipeline from a source's raw files to its manifest, in its namespace.

    Args:
        source: Namespace; its parameters are `<source>.index`, `.probe`, `.split`, `.contact_sheet` and, of images,
            `.balance`.
        media: What its files are.
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
            Node(nodes.index_footage, ["raw", "params:index"], "index", name="index_footage"),
            Node(nodes.plan_probes, ["raw", "index", _WINDOWS, "params:probe"], "probes", name="plan_probes"),
            Node(
                nodes.build_manifest,
                ["index", "probes", "params:index", "params:split"],
                "probed_manifest",
                name="build_manifest",
            ),
            Node(
                nodes.find_near_duplicates,
                ["probed_manifest", "probes"],
                "near_duplicates",
                name="find_near_duplicates",
            ),
            Node(
                nodes.split_manifest,
                ["probed_manifest", "index", "near_duplicates", "probes", "params:split"],
                "proposed_manifest",
                name="split_manifest",
            ),
        ]
    )


def _images() -> Pipeline:
    """Return the same of images, whose classes are balanced after the split: every kind of defect is known by then."""
    return Pipeline(
        [
            Node(nodes.index_images, ["raw", "params:index"], "index", name="index_images"),
            Node(nodes.plan_image_probes, ["raw", "index", "params:probe"], "probes", name="plan_image_probes"),
            Node(
                nodes.build_image_manifest,
                ["index", "probes", "params:index", "params:split"],
                "probed_manifest",
                name="build_image_manifest",
            ),
            Node(
                nodes.find_near_duplicate_images,
                ["probed_manifest", "probes"],
                "near_duplicates",
                name="find_near_duplicate_images",
            ),
            Node(
                nodes.split_manifest,
                ["probed_manifest", "index", "near_duplicates", "probes", "params:split"],
                "dealt_manifest",
                name="split_manifest",
            ),
            Node(
                nodes.balance_classes,
                ["dealt_manifest", "params:index", "params:balance"],
                ["proposed_manifest", "balance_report"],
                name="balance_classes",
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
            Node(
                nodes.audit_splits,
                ["proposed_manifest", "near_duplicates", "probes", "params:split"],
                ["split_audit", "confound_scores"],
                name="audit_splits",
            ),
            Node(
                nodes.tabulate_class_by_session,
                "proposed_manifest",
                ["class_by_session", "class_by_session_plot"],
                name="tabulate_class_by_session",
            ),
            Node(nodes.tabulate_quarantine, "proposed_manifest", "quarantine", name="tabulate_quarantine"),
            Node(
                nodes.draw_contact_sheet,
                ["proposed_manifest", "probes", "params:contact_sheet"],
                "contact_sheet",
                name="draw_contact_sheet",
            ),
            Node(nodes.release_manifest, ["proposed_manifest", "split_audit"], "manifest", name="release_manifest"),
        ]
    )
