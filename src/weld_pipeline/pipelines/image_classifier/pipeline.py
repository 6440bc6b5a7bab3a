"""Wiring of `image_classifier`, one template for every recipe."""

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import nodes as shared
from weld_pipeline.pipelines.image_classifier import nodes
from weld_pipeline.pipelines.step import box, step


def create_pipeline(recipe: str) -> Pipeline:
    """Return the pipeline from a recipe's manifest to calibrated predictions, in its namespace.

    Args:
        recipe: Namespace; its parameters lie in `parameters_recipes/<recipe>.yml`.
    """
    return Pipeline(
        [_preparation(), _training(), shared.show_training(), _calibration(), _looks()],
        namespace=recipe,
        parameters={"params:evaluation"},
        prefix_datasets_with_namespace=True,
    )


def _preparation() -> Pipeline:
    return box(
        "feature_extraction",
        [
            step(nodes.list_classes, ["manifest", "params:classes"], "classes"),
            step(nodes.load_trunk, ["params:trunk", "params:image"], ["trunk", "weights"]),
            step(nodes.resize_images, ["manifest", "raw", "synthetic_set", "params:image"], "images"),
        ],
        tags={"feature_extraction"},
    )


def _training() -> Pipeline:
    datasets = ("images", "manifest", "synthetic_set", "classes", "trunk", "training_folder")
    params = ("image", "head", "augmentation", "mixing", "synthetic", "training")
    return box(
        "training",
        [
            shared.open_training("training_folder"),
            step(
                nodes.train_classifier,
                {name: name for name in datasets} | {name: f"params:{name}" for name in params},
                ["classifier", "curves"],
            ),
            step(nodes.predict_logits, ["images", "manifest", "classifier", "params:image"], "image_logits"),
        ],
        tags={"training"},
    )


def _calibration() -> Pipeline:
    return box(
        "calibration",
        [
            step(nodes.fit_decision, ["image_logits", "manifest", "classes", "params:calibration"], "decision"),
            step(nodes.tabulate_predictions, ["image_logits", "manifest", "classes", "decision"], "predictions"),
        ],
        tags={"calibration"},
    )


def _looks() -> Pipeline:
    return box(
        "reporting",
        [
            step(nodes.find_label_errors, ["predictions", "classes"], "label_errors"),
            step(nodes.show_label_errors, ["label_errors", "manifest", "raw", "params:look"], "label_error_sheet"),
            step(
                nodes.draw_sample_sheet,
                {"predictions": "predictions", "manifest": "manifest", "raw": "raw"}
                | {"classifier": "classifier", "params": "params:look", "evaluation": "params:evaluation"},
                "sample_sheet",
            ),
        ],
        tags={"evaluation"},
    )
