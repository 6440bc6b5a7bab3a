"""Wiring of `ingestion`: one of footage, one of images for every recipe."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.ingestion import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline from raw footage to the manifest."""
    return Pipeline(
        [
            Node(nodes.index_footage, ["raw_footage", "params:ingestion.index"], "footage_index", name="index_footage"),
            Node(
                nodes.plan_probes,
                ["raw_footage", "footage_index", "params:video_classifier.windows", "params:ingestion.probe"],
                "footage_probes",
                name="plan_probes",
            ),
            Node(
                nodes.build_manifest,
                ["footage_index", "footage_probes", "params:ingestion.index", "params:ingestion.split"],
                "probed_manifest",
                name="build_manifest",
            ),
            Node(
                nodes.find_near_duplicates,
                ["probed_manifest", "footage_probes"],
                "near_duplicates",
                name="find_near_duplicates",
            ),
            Node(
                nodes.split_manifest,
                ["probed_manifest", "footage_index", "near_duplicates", "footage_probes", "params:ingestion.split"],
                "proposed_manifest",
                name="split_manifest",
            ),
            *_release("footage", split="params:ingestion.split", contact_sheet="params:ingestion.contact_sheet"),
        ]
    )


def create_image_pipeline(recipe: str) -> Pipeline:
    """Return the pipeline from a recipe's raw images to its manifest, in its namespace.

    Classes are balanced after the split: rows are dealt with every kind of defect known, and only then drawn.

    Args:
        recipe: Namespace; its parameters are `<recipe>.index`, `.probe`, `.split`, `.balance` and `.contact_sheet`.
    """
    template = Pipeline(
        [
            Node(nodes.index_images, ["raw_images", "params:index"], "image_index", name="index_images"),
            Node(
                nodes.plan_image_probes,
                ["raw_images", "image_index", "params:probe"],
                "image_probes",
                name="plan_image_probes",
            ),
            Node(
                nodes.build_image_manifest,
                ["image_index", "image_probes", "params:index", "params:split"],
                "probed_manifest",
                name="build_image_manifest",
            ),
            Node(
                nodes.find_near_duplicate_images,
                ["probed_manifest", "image_probes"],
                "near_duplicates",
                name="find_near_duplicate_images",
            ),
            Node(
                nodes.split_manifest,
                ["probed_manifest", "image_index", "near_duplicates", "image_probes", "params:split"],
                "dealt_manifest",
                name="split_manifest",
            ),
            Node(
                nodes.balance_classes,
                ["dealt_manifest", "params:index", "params:balance"],
                ["proposed_manifest", "balance_report"],
                name="balance_classes",
            ),
            *_release("image", split="params:split", contact_sheet="params:contact_sheet"),
        ]
    )
    return Pipeline(template, namespace=recipe, prefix_datasets_with_namespace=True)


def _release(kind: str, *, split: str, contact_sheet: str) -> list[Node]:
    """Return the nodes from the proposed manifest to the released one.

    The audit and the images depend on the proposed manifest, the released one on the audit and so comes after them:
    when a crossing stops the run, everything that explains it is there.

    Args:
        kind: What the datasets of probes and contact sheet begin with.
        split: Parameters of the split.
        contact_sheet: Parameters of the sheet.
    """
    return [
        Node(
            nodes.audit_splits,
            ["proposed_manifest", "near_duplicates", f"{kind}_probes", split],
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
            ["proposed_manifest", f"{kind}_probes", contact_sheet],
            f"{kind}_contact_sheet",
            name="draw_contact_sheet",
        ),
        Node(nodes.release_manifest, ["proposed_manifest", "split_audit"], "manifest", name="release_manifest"),
    ]
