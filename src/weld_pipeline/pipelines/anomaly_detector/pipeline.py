"""Wiring of `anomaly_detector`, one template for three detectors that differ in how they are fitted."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines import nodes as shared
from weld_pipeline.pipelines.anomaly_detector import nodes

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
        [Node(nodes.compare_detectors, list(records), outputs, name="compare_detectors", tags={"evaluation"})],
        namespace="detectors",
        inputs=records,
        prefix_datasets_with_namespace=True,
    )


def _preparation() -> Pipeline:
    return Pipeline(
        [
            Node(nodes.load_trunk, ["params:trunk", "params:image"], ["trunk", "weights"], name="load_trunk"),
            Node(
                nodes.prepare_images,
                ["manifest", "raw", "params:image", "params:tiling"],
                "images",
                name="prepare_images",
            ),
        ],
        tags={"feature_extraction"},
    )


_FITTED_ON = ("images", "manifest", "trunk")


def _fit_patchcore() -> Pipeline:
    return _fit(nodes.fit_patchcore)


def _fit_reference() -> Pipeline:
    return _fit(nodes.fit_reference)


def _fit(function: Callable[..., object]) -> Pipeline:
    inputs = [*_FITTED_ON, "params:image", "params:fit"]
    return Pipeline([Node(function, inputs, "detector", name="fit_detector")], tags={"training"})


def _fit_student_teacher() -> Pipeline:
    said = ("images", "manifest", "training_folder")
    asked = {name: f"params:{name}" for name in ("image", "student")}
    return Pipeline(
        [
            Node(
                nodes.make_teacher,
                {name: name for name in said} | asked | {"trunk": "trunk", "teacher": "params:teacher"},
                "teacher_network",
                name="make_teacher",
            ),
            Node(
                nodes.train_student,
                {name: name for name in said} | asked | {"teacher_network": "teacher_network"},
                ["detector", "curves"],
                name="train_student",
            ),
            Node(
                nodes.check_student,
                ["images", "manifest", "detector", "params:check"],
                "fit_check",
                name="check_student",
            ),
            Node(shared.log_training, "curves", "training_metrics", name="log_training"),
            Node(shared.plot_curves, "curves", "curve_plot", name="plot_curves"),
        ],
        tags={"training"},
    )


def _scoring() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.score_images,
                ["images", "manifest", "detector"],
                "anomaly_maps",
                name="score_images",
                tags={"calibration"},
            ),
            Node(
                nodes.tabulate_scores,
                ["anomaly_maps", "manifest"],
                "image_scores",
                name="tabulate_scores",
                tags={"calibration"},
            ),
            Node(
                nodes.choose_threshold,
                ["image_scores", "anomaly_maps", "images", "params:threshold"],
                ["decision", "map_range"],
                name="choose_threshold",
                tags={"calibration"},
            ),
            Node(
                nodes.tabulate_predictions,
                ["image_scores", "manifest", "decision"],
                "predictions",
                name="tabulate_predictions",
                tags={"calibration"},
            ),
        ]
    )


def _looks() -> Pipeline:
    judged = {name: name for name in ("image_scores", "anomaly_maps", "manifest", "raw")}
    judged |= {"fitted": "decision"} | {"tiling": "params:tiling", "protocol": "params:evaluation"}
    return Pipeline(
        [
            Node(
                nodes.measure_anomalies,
                judged | {"detector": "detector", "images": "images"},
                "anomaly_metrics",
                name="measure_anomalies",
            ),
            Node(
                nodes.flatten_anomaly_metrics,
                "anomaly_metrics",
                "anomaly_metric_values",
                name="flatten_anomaly_metrics",
            ),
            Node(
                nodes.draw_anomaly_sheet,
                judged | {"params": "params:look", "map_range": "map_range"},
                "anomaly_sheet",
                name="draw_anomaly_sheet",
            ),
        ],
        tags={"evaluation"},
    )


_FITS: dict[str, Callable[[], Pipeline]] = {
    "patchcore": _fit_patchcore,
    "student_teacher": _fit_student_teacher,
    "reference": _fit_reference,
}
DETECTORS = tuple(_FITS)
