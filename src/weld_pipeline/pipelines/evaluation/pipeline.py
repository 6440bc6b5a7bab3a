"""Wiring of `evaluation`, one template for every family."""

from collections.abc import Callable

from kedro.pipeline import Pipeline

from weld_pipeline.core.errors import WeldError
from weld_pipeline.pipelines.evaluation import nodes
from weld_pipeline.pipelines.family import RUN_ID, Family
from weld_pipeline.pipelines.step import box, step

EXTRAS = {"anomaly_scores", "curves", "fit_check"}
_PARAMS = "params:evaluation"
_REPORTED = ("family_name", "predictions", "manifest", "mistakes", "mistake_frames", "banners", "decision", "weights")


def create_pipeline(family: Family, member: str) -> Pipeline:
    """Return the evaluation of one member's predictions, in its namespace.

    What a member has to show beyond predictions, decision and weights, its `extras`, is any of: `anomaly_scores`
    (`sample_id` and `anomaly`, an unsupervised score to set beside the supervised one), `curves` (per model, per metric,
    a value an epoch), `fit_check` (what a look at the fitted model found wrong with it).

    Raises:
        WeldError: If an extra is none of these.
    """
    extras = family.extras(member)
    if unknown := sorted(set(extras) - EXTRAS):
        raise WeldError(f"evaluation of {member}: extra {unknown[0]!r} is none of {sorted(EXTRAS)}; name one of them")

    def inputs(*names: str, where: str = "") -> dict[str, str]:
        return {name: name for name in (*names, *({where} & set(extras)))}

    measured = [
        step(_naming(member), None, "family_name"),
        step(
            nodes.evaluate_predictions,
            inputs("predictions", "manifest", "decision", where="anomaly_scores") | {"params": _PARAMS},
            "evaluation",
        ),
        step(nodes.collect_banners, inputs("split_audit", "weights", "decision", where="fit_check"), "banners"),
    ]
    reported = [
        step(nodes.tabulate_classes, "evaluation", "per_class"),
        step(nodes.flatten_metrics, "evaluation", "metrics"),
        step(nodes.plot_confusion, "evaluation", "confusion_matrix"),
        step(nodes.plot_confounds, "evaluation", "confounds"),
        step(nodes.plot_reliability, "evaluation", "reliability"),
        step(nodes.list_predictions, ["predictions", _PARAMS], "predictions_csv"),
        step(nodes.pick_mistakes, ["predictions", _PARAMS], "mistakes"),
        step(nodes.show_mistakes, ["mistakes", "manifest", "raw", _PARAMS], "mistake_frames"),
        step(
            nodes.render_evaluation_report,
            inputs(*_REPORTED, where="curves") | {"params": _PARAMS, "record": "evaluation", "mlflow_run_id": RUN_ID},
            "evaluation_report",
        ),
    ]
    template = Pipeline([*measured, box("reporting", reported)], tags={"evaluation"})
    return Pipeline(
        template,
        namespace=member,
        inputs=family.ingested("manifest", "split_audit", "raw"),
        parameters={_PARAMS, RUN_ID},
        prefix_datasets_with_namespace=True,
    )


def _naming(member: str) -> Callable[[], str]:
    def name_member() -> str:
        """Return the namespace that the template was instantiated for."""
        return member

    return name_member
