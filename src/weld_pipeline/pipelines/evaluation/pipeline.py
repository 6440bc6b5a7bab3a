"""Wiring of `evaluation`, one template for every family."""

from collections.abc import Collection
from typing import Literal

from kedro.pipeline import Node, Pipeline

from weld_pipeline.core.errors import WeldError
from weld_pipeline.pipelines.evaluation import nodes

EXTRAS = {"calibration", "anomaly_scores", "weights", "curves", "fit_check"}
# What a family takes from outside its namespace: recordings are ingested for all video families at once, images for
# each recipe by itself.
SHARED = {"video": {"manifest", "raw_footage", "split_audit", "mlflow_run_id"}, "image": {"mlflow_run_id"}}
RAW = {"video": "raw_footage", "image": "raw_images"}
_REPORTED = ("family_name", "predictions", "manifest", "mistakes", "mistake_frames", "banners")


def create_pipeline(
    family: str,
    *,
    extras: Collection[str] = (),
    media: Literal["video", "image"] = "video",
    source: str | None = None,
) -> Pipeline:
    """Return the evaluation of one family's predictions, in its namespace.

    Args:
        family: Namespace; `<family>.predictions` is what is judged.
        extras: What else the family has to show. `calibration`: with `threshold`, the `p_defect` from which a weld
            fails. `anomaly_scores`: `sample_id` and `anomaly`, an unsupervised score to set beside the supervised one.
            `weights`: the record of what the network began with. `curves`: per model, per metric, a value an epoch.
            `fit_check`: what a look at the fitted model found wrong with it.
        media: What it looks at.
        source: Namespace whose manifest, audit and images it shares with other families; None for its own.

    Raises:
        WeldError: If an extra is none of these.
    """
    if unknown := sorted(set(extras) - EXTRAS):
        raise WeldError(f"evaluation of {family}: extra {unknown[0]!r} is none of {sorted(EXTRAS)}; name one of them")

    def inputs(names: Collection[str], wanted: Collection[str]) -> dict[str, str]:
        return {name: name for name in (*names, *(name for name in wanted if name in extras))}

    params = {"params": "params:evaluation"}
    template = Pipeline(
        [
            Node(
                nodes.evaluate_predictions,
                inputs(("predictions", "manifest"), ("calibration", "anomaly_scores")) | params,
                "evaluation",
                name="evaluate_predictions",
            ),
            Node(nodes.tabulate_classes, "evaluation", "per_class", name="tabulate_classes"),
            Node(nodes.flatten_metrics, "evaluation", "metrics", name="flatten_metrics"),
            Node(nodes.plot_confusion, "evaluation", "confusion_matrix", name="plot_confusion"),
            Node(nodes.plot_confounds, "evaluation", "confounds", name="plot_confounds"),
            Node(nodes.plot_reliability, "evaluation", "reliability", name="plot_reliability"),
            Node(
                nodes.list_predictions, ["predictions", "params:evaluation"], "predictions_csv", name="list_predictions"
            ),
            Node(nodes.pick_mistakes, ["predictions", "params:evaluation"], "mistakes", name="pick_mistakes"),
            Node(
                nodes.show_mistakes,
                ["mistakes", "manifest", RAW[media], "params:evaluation"],
                "mistake_frames",
                name="show_mistakes",
            ),
            Node(
                nodes.collect_banners,
                inputs(("split_audit",), ("weights", "calibration", "fit_check")),
                "banners",
                name="collect_banners",
            ),
            Node(
                nodes.render_evaluation_report,
                inputs((*_REPORTED, "mlflow_run_id"), ("weights", "curves")) | params | {"record": "evaluation"},
                "evaluation_report",
                name="render_evaluation_report",
            ),
        ]
    )
    shared = {name: name for name in SHARED[media] & template.inputs()}
    ingested = {name: f"{source}.{name}" for name in ("manifest", "split_audit", RAW[media])} if source else {}
    return Pipeline(
        template,
        namespace=family,
        inputs=shared | ingested,
        parameters={"params:evaluation"},
        tags={"evaluation"},
        prefix_datasets_with_namespace=True,
    )
