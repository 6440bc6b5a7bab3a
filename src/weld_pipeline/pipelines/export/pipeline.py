"""Wiring of `export`, one template for every video family."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.export import nodes

PARTS = ("trunk", "standardizer", "autoencoder", "good_autoencoder", "classifier", "calibration")


def create_pipeline(family: str) -> Pipeline:
    """Return the pipeline from a family's trained parts to its bundle, in its namespace.

    Args:
        family: Namespace of the parts, the predictions and the evaluation.
    """
    said = ("module", "family_name", "trunk", "classifier", "calibration")
    provenance = ("manifest", "evaluation", "banners", "mlflow_run_id")
    compared = ("candidate", "module", "manifest", "raw_footage", "predictions")
    return Pipeline(
        [
            Node(nodes.assemble_classifier, {name: name for name in PARTS}, "module", name="assemble_classifier"),
            Node(
                nodes.export_graph,
                {name: name for name in said + provenance},
                "candidate",
                name="export_graph",
            ),
            Node(
                nodes.check_parity,
                {name: name for name in compared} | {"params": "params:export.parity"},
                "parity",
                name="check_parity",
            ),
            Node(nodes.release_bundle, ["candidate", "parity"], "bundle", name="release_bundle"),
        ],
        namespace=family,
        inputs={"manifest", "raw_footage", "mlflow_run_id"},
        parameters={"params:export.parity"},
        tags={"export"},
        prefix_datasets_with_namespace=True,
    )
