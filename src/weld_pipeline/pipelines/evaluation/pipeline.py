"""Wiring of `evaluation`, one template for every family."""

from collections.abc import Mapping

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.evaluation import nodes

SHARED = {"manifest", "raw_footage", "split_audit", "mlflow_run_id"}


def create_pipeline(
    family: str,
    *,
    calibration: str | None = None,
    anomaly_scores: str | None = None,
    weights: str | None = None,
    curves: str | None = None,
) -> Pipeline:
    """Return the evaluation of one family's predictions, in its namespace.

    Args:
        family: Namespace; `<family>.predictions` is what is judged.
        calibration: Dataset with `threshold`, the `p_defect` from which a weld fails.
        anomaly_scores: Dataset with `sample_id` and `anomaly`, an unsupervised score to set beside the supervised one.
        weights: Dataset with the record of the pretrained weights: name, source, sha256, licence, is_random.
        curves: Dataset with loss curves: per model, per named curve, a value an epoch.
    """
    judged = _given({"calibration": calibration, "anomaly_scores": anomaly_scores})
    said = _given({"weights": weights})
    shown = said | _given({"curves": curves})
    template = Pipeline(
        [
            _evaluate_predictions(judged),
            Node(nodes.tabulate_classes, "evaluation", "per_class", name="tabulate_classes"),
            Node(nodes.flatten_metrics, "evaluation", "metrics", name="flatten_metrics"),
            Node(nodes.plot_confusion, "evaluation", "confusion_matrix", name="plot_confusion"),
            Node(nodes.plot_confounds, "evaluation", "confounds", name="plot_confounds"),
            Node(nodes.plot_reliability, "evaluation", "reliability", name="plot_reliability"),
            Node(nodes.list_predictions, "predictions", "predictions_csv", name="list_predictions"),
            Node(nodes.pick_mistakes, ["predictions", "params:evaluation"], "mistakes", name="pick_mistakes"),
            Node(
                nodes.show_mistakes,
                ["mistakes", "manifest", "raw_footage", "params:evaluation"],
                "mistake_frames",
                name="show_mistakes",
            ),
            Node(
                nodes.collect_banners,
                {"split_audit": "split_audit", "predictions": "predictions", "manifest": "manifest"}
                | {"raw_footage": "raw_footage", "params": "params:evaluation"}
                | said,
                "banners",
                name="collect_banners",
            ),
            _render_report(shown),
        ]
    )
    extras = {*judged.values(), *shown.values()}
    return Pipeline(
        template,
        namespace=family,
        inputs=(SHARED & template.inputs()) | extras,
        parameters={"params:evaluation"},
        tags={"evaluation"},
        prefix_datasets_with_namespace=True,
    )


def _evaluate_predictions(extras: Mapping[str, str]) -> Node:
    inputs = {"predictions": "predictions", "manifest": "manifest", "params": "params:evaluation", **extras}
    return Node(nodes.evaluate_predictions, inputs, "evaluation", name="evaluate_predictions")


def _render_report(extras: Mapping[str, str]) -> Node:
    names = (
        "family_name",
        "evaluation",
        "predictions",
        "manifest",
        "mistakes",
        "mistake_frames",
        "banners",
        "mlflow_run_id",
    )
    inputs = {name: name for name in names} | {"params": "params:evaluation"} | dict(extras)
    return Node(nodes.render_evaluation_report, inputs, "evaluation_report", name="render_evaluation_report")


def _given(extras: Mapping[str, str | None]) -> dict[str, str]:
    return {argument: dataset for argument, dataset in extras.items() if dataset is not None}
