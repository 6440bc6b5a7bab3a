"""Wiring of `ingestion`."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.ingestion import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline from raw footage to the manifest.

    The audit and the pictures depend on the proposed manifest, the released one on the audit and so comes after them:
    when a crossing stops the run, everything that explains it is there.
    """
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
                ["probed_manifest", "footage_index", "near_duplicates", "params:ingestion.split"],
                "proposed_manifest",
                name="split_manifest",
            ),
            Node(
                nodes.audit_splits,
                ["proposed_manifest", "near_duplicates", "params:ingestion.split"],
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
                ["proposed_manifest", "footage_probes", "params:ingestion.contact_sheet"],
                "footage_contact_sheet",
                name="draw_contact_sheet",
            ),
            Node(nodes.release_manifest, ["proposed_manifest", "split_audit"], "manifest", name="release_manifest"),
        ]
    )
