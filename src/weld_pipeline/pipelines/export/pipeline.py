"""Wiring of `export`: one template for every video family, one for every image recipe, one for every detector."""

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


def create_image_pipeline(recipe: str) -> Pipeline:
    """Return the pipeline from a recipe's trained classifier to its bundle, in its namespace.

    Args:
        recipe: Namespace of everything but the MLflow run id.
    """
    said = ("module", "family_name", "classifier", "calibration", "manifest", "evaluation", "banners", "mlflow_run_id")
    compared = ("candidate", "module", "manifest", "raw_images", "predictions")
    return Pipeline(
        [
            Node(nodes.assemble_image_graph, ["classifier", "calibration"], "module", name="assemble_image_graph"),
            Node(nodes.export_image_graph, {name: name for name in said}, "candidate", name="export_image_graph"),
            Node(
                nodes.check_image_parity,
                {name: name for name in compared} | {"params": "params:export.image_parity"},
                "parity",
                name="check_image_parity",
            ),
            Node(nodes.release_bundle, ["candidate", "parity"], "bundle", name="release_bundle"),
        ],
        namespace=recipe,
        inputs={"mlflow_run_id"},
        parameters={"params:export.image_parity"},
        tags={"export"},
        prefix_datasets_with_namespace=True,
    )


def create_detector_pipeline(detector: str, *, source: str) -> Pipeline:
    """Return the pipeline from a fitted anomaly detector to its bundle, in its namespace.

    Args:
        detector: Namespace of detector, predictions and evaluation.
        source: Namespace of manifest, images and tiling, which detectors share.
    """
    said = ("module", "family_name", "detector", "calibration", "manifest", "evaluation", "banners", "mlflow_run_id")
    compared = ("candidate", "module", "manifest", "raw_images", "predictions")
    return Pipeline(
        [
            Node(nodes.assemble_anomaly_graph, "detector", "module", name="assemble_anomaly_graph"),
            Node(
                nodes.export_anomaly_graph,
                {name: name for name in said} | {"tiling": "params:tiling"},
                "candidate",
                name="export_anomaly_graph",
            ),
            Node(
                nodes.check_anomaly_parity,
                {name: name for name in compared} | {"params": "params:export.anomaly_parity"},
                "parity",
                name="check_anomaly_parity",
            ),
            Node(nodes.release_bundle, ["candidate", "parity"], "bundle", name="release_bundle"),
        ],
        namespace=detector,
        inputs={"mlflow_run_id": "mlflow_run_id"} | {name: f"{source}.{name}" for name in ("manifest", "raw_images")},
        parameters={
            "params:tiling": f"params:{source}.tiling",
            "params:export.anomaly_parity": "params:export.anomaly_parity",
        },
        tags={"export"},
        prefix_datasets_with_namespace=True,
    )
