"""Wiring of `image_classifier`, one template for every recipe."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines import nodes as shared
from weld_pipeline.pipelines.image_classifier import nodes


def create_pipeline(recipe: str) -> Pipeline:
    """Return the pipeline from a recipe's manifest to calibrated predictions, in its namespace.

    Args:
        recipe: Namespace; its parameters lie in `parameters_recipes/<recipe>.yml`.
    """
    return Pipeline(
        [_preparation(), _training(), _calibration(), _looks()],
        namespace=recipe,
        parameters={"params:evaluation"},
        prefix_datasets_with_namespace=True,
    )


def _preparation() -> Pipeline:
    return Pipeline(
        [
            Node(nodes.list_classes, ["manifest", "params:classes"], "classes", name="list_classes"),
            Node(nodes.load_trunk, ["params:trunk", "params:image"], ["trunk", "weights"], name="load_trunk"),
            Node(
                nodes.resize_images,
                ["manifest", "raw", "synthetic_set", "params:image"],
                "images",
                name="resize_images",
            ),
        ],
        tags={"feature_extraction"},
    )


def _training() -> Pipeline:
    said = ("images", "manifest", "synthetic_set", "classes", "trunk", "training_folder")
    asked = ("image", "head", "augmentation", "mixing", "synthetic", "training")
    return Pipeline(
        [
            Node(
                nodes.train_classifier,
                {name: name for name in said} | {name: f"params:{name}" for name in asked},
                ["classifier", "curves"],
                name="train_classifier",
            ),
            Node(shared.log_training, "curves", "training_metrics", name="log_training"),
            Node(shared.plot_curves, "curves", "curve_plot", name="plot_curves"),
            Node(
                nodes.predict_logits,
                ["images", "manifest", "classifier", "params:image"],
                "image_logits",
                name="predict_logits",
            ),
        ],
        tags={"training"},
    )


def _calibration() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.fit_decision,
                ["image_logits", "manifest", "classes", "params:calibration"],
                "decision",
                name="fit_decision",
            ),
            Node(
                nodes.tabulate_predictions,
                ["image_logits", "manifest", "classes", "decision"],
                "predictions",
                name="tabulate_predictions",
            ),
        ],
        tags={"calibration"},
    )


def _looks() -> Pipeline:
    return Pipeline(
        [
            Node(nodes.find_label_errors, ["predictions", "classes"], "label_errors", name="find_label_errors"),
            Node(
                nodes.show_label_errors,
                ["label_errors", "manifest", "raw", "params:look"],
                "label_error_sheet",
                name="show_label_errors",
            ),
            Node(
                nodes.draw_sample_sheet,
                {"predictions": "predictions", "manifest": "manifest", "raw": "raw"}
                | {"classifier": "classifier", "params": "params:look", "evaluation": "params:evaluation"},
                "sample_sheet",
                name="draw_sample_sheet",
            ),
        ],
        tags={"evaluation"},
    )
