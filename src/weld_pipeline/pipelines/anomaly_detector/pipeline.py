"""Wiring of `anomaly_detector`, one template for three detectors that differ in how they are fitted."""

from collections.abc import Callable

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import nodes as shared
from weld_pipeline.pipelines.anomaly_detector import nodes
from weld_pipeline.pipelines.step import box, step

# All detectors look at the same images, so these are made once, in a namespace of their own.
SOURCE = "anomaly_detector"


def create_pipeline(detector: str) -> Pipeline:
    """Return the pipeline from the manifest to predictions, maps and their measures, in the detector's namespace.

    Args:
        detector: Namespace; its parameters lie in `parameters_detectors/<detector>.yml`.
    """
    template = _preparation() + _FITS[detector]() + _scoring() + _looks()
    return Pipeline(
        template,
        namespace=detector,
        inputs={name: f"{SOURCE}.{name}" for name in ("manifest", "raw")},
        parameters={"params:tiling": f"params:{SOURCE}.tiling", "params:evaluation": "params:evaluation"},
        prefix_datasets_with_namespace=True,
    )


def extras(detector: str) -> tuple[str, ...]:
    """Return what a detector has to show beside its predictions."""
    return ("curves", "fit_check") if detector == "student_teacher" else ()


def create_comparison() -> Pipeline:
    """Return the node that sets all detectors beside each other, in a namespace of its own."""
    records = {f"{detector}_metrics": f"{detector}.anomaly_metrics" for detector in DETECTORS}
    outputs = ["comparison", "comparison_plot"]
    return Pipeline(
        [step(nodes.compare_detectors, list(records), outputs, tags={"evaluation"})],
        namespace="detectors",
        inputs=records,
        prefix_datasets_with_namespace=True,
    )


def _preparation() -> Pipeline:
    return box(
        "feature_extraction",
        [
            step(nodes.load_trunk, ["params:trunk", "params:image"], ["trunk", "weights"]),
            step(nodes.prepare_images, ["manifest", "raw", "params:image", "params:tiling"], "images"),
        ],
        tags={"feature_extraction"},
    )


def _fit(function: Callable[..., object]) -> Pipeline:
    inputs = ["images", "manifest", "trunk", "params:image", "params:fit"]
    return box("training", [step(function, inputs, "detector", name="fit_detector")], tags={"training"})


def _fit_student_teacher() -> Pipeline:
    datasets = ("images", "manifest", "training_folder")
    params = {name: f"params:{name}" for name in ("image", "student")}
    return box(
        "training",
        [
            shared.open_training("training_folder"),
            step(
                nodes.make_teacher,
                {name: name for name in datasets} | params | {"trunk": "trunk", "teacher": "params:teacher"},
                "teacher_network",
            ),
            step(
                nodes.train_student,
                {name: name for name in datasets} | params | {"teacher_network": "teacher_network"},
                ["detector", "curves"],
            ),
            step(nodes.check_student, ["images", "manifest", "detector", "params:check"], "fit_check"),
        ],
        tags={"training"},
    )


def _scoring() -> Pipeline:
    chosen_on = ["image_scores", "anomaly_maps", "images", "params:threshold"]
    return box(
        "calibration",
        [
            step(nodes.score_images, ["images", "manifest", "detector"], "anomaly_maps"),
            step(nodes.tabulate_scores, ["anomaly_maps", "manifest"], "image_scores"),
            step(nodes.choose_threshold, chosen_on, ["decision", "map_range"]),
            step(nodes.tabulate_predictions, ["image_scores", "manifest", "decision"], "predictions"),
        ],
        tags={"calibration"},
    )


def _looks() -> Pipeline:
    judged = {name: name for name in ("image_scores", "anomaly_maps", "manifest", "raw")}
    judged |= {"fitted": "decision"} | {"tiling": "params:tiling", "protocol": "params:evaluation"}
    return box(
        "reporting",
        [
            step(nodes.measure_anomalies, judged | {"detector": "detector", "images": "images"}, "anomaly_metrics"),
            step(nodes.flatten_anomaly_metrics, "anomaly_metrics", "anomaly_metric_values"),
            step(
                nodes.draw_anomaly_sheet, judged | {"params": "params:look", "map_range": "map_range"}, "anomaly_sheet"
            ),
        ],
        tags={"evaluation"},
    )


_FITS: dict[str, Callable[[], Pipeline]] = {
    "patchcore": lambda: _fit(nodes.fit_patchcore),
    "student_teacher": lambda: _fit_student_teacher() + shared.show_training(),
    "reference": lambda: _fit(nodes.fit_reference),
}
DETECTORS = tuple(_FITS)
