"""Nodes of `evaluation`."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from weld_pipeline import core, evaluation, report
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.decision.policy import Decision
from weld_pipeline.pipelines.params import EvaluationParams


def evaluate_predictions(
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    params: EvaluationParams,
    decision: Decision,
    anomaly_scores: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return everything measured on the rows of the chosen split."""
    rows = evaluation.rows.evaluation_rows(predictions, manifest, split=params.split, anomaly_scores=anomaly_scores)
    measured = evaluation.evaluation.evaluate(
        rows,
        good=evaluation.rows.good_classes(predictions),
        protocol=evaluation.estimates.Protocol(**params.measuring()),
        classes=evaluation.rows.classes_of(predictions),
        train=evaluation.rows.train_rows(manifest, predictions),
        fails=decision.fails(score=rows["score"].to_numpy(float), predicted=rows["predicted"].tolist()),
        rule=decision.policy.describe(),
    )
    return evaluation.summary.to_record(measured)


def tabulate_classes(record: dict[str, Any]) -> pd.DataFrame:
    """Return a row a class: n, recall, precision, F1 with their intervals, AUROC."""
    return evaluation.summary.class_table(evaluation.summary.from_record(record))


def flatten_metrics(record: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the numbers worth comparing between runs, as MLflow takes them."""
    return {
        name: {"value": value, "step": 0}
        for name, value in evaluation.summary.flat_metrics(evaluation.summary.from_record(record)).items()
    }


def plot_confusion(record: dict[str, Any]) -> Any:
    """Return the confusion matrix as a figure."""
    return report.figures.confusion_figure(evaluation.summary.from_record(record))


def plot_confounds(record: dict[str, Any]) -> Any:
    """Return the model's accuracy beside that of guesses that do not look at the weld."""
    return report.figures.confound_figure(evaluation.summary.from_record(record))


def plot_reliability(record: dict[str, Any]) -> Any:
    """Return stated probabilities against what came true."""
    return report.figures.reliability_figure(evaluation.summary.from_record(record).reliability)


def list_predictions(predictions: pd.DataFrame, params: EvaluationParams) -> pd.DataFrame:
    """Return the predictions of the chosen split as a list to read."""
    return evaluation.rows.listed(predictions[predictions["split"] == params.split])


def pick_mistakes(predictions: pd.DataFrame, params: EvaluationParams) -> pd.DataFrame:
    """Return the worst wrong predictions of the chosen split."""
    judged = predictions[predictions["split"] == params.split]
    return evaluation.rows.worst_mistakes(judged, good=evaluation.rows.good_classes(predictions), n=params.n_mistakes)


def show_mistakes(
    mistakes: pd.DataFrame, manifest: pd.DataFrame, raw: SourceTree, params: EvaluationParams
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a sheet with the image, or a row of frames, of each mistake."""
    rows = mistakes[["sample_id"]].merge(manifest, on="sample_id", how="left", validate="one_to_one")
    exhibits = [
        report.sheets.mistakes.Exhibit(raw.root / row["path"], sample_bits=core.tables.sample_bits(manifest))
        if row["media"] == "image"
        else report.sheets.mistakes.Exhibit(raw.root / row["path"], float(row["arc_start_s"]), float(row["arc_on_s"]))
        for row in rows.to_dict("records")
    ]
    return report.sheets.mistakes.strip_sheet(exhibits, n_frames=params.n_frames)


def collect_banners(
    split_audit: dict[str, Any], weights: dict[str, Any], decision: Decision, fit_check: dict[str, Any] | None = None
) -> list[str]:
    """Return what must be said beside every number: leakage, drawn data, random weights, no calibration, no fit."""
    return [
        *split_audit["banners"],
        *report.banners.weights_banner(weights),
        *report.banners.decision_banner(decision),
        *(report.banners.fit_banner(fit_check) if fit_check else []),
    ]


def render_evaluation_report(
    *,
    family_name: str,
    record: dict[str, Any],
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    mistakes: pd.DataFrame,
    mistake_frames: UInt8[np.ndarray, "H W 3"],
    banners: list[str],
    mlflow_run_id: str | None,
    params: EvaluationParams,
    decision: Decision,
    weights: dict[str, Any],
    curves: dict[str, dict[str, list[float]]] | None = None,
) -> str:
    """Return the report as one HTML page."""
    return report.family_page.family_report(
        evaluation.summary.from_record(record),
        family=family_name,
        split=params.split,
        rows=predictions[predictions["split"] == params.split],
        mistakes=mistakes,
        sheet=mistake_frames,
        banners=banners,
        curves=curves or {},
        policy=decision.policy,
        revision=core.provenance.code_revision(),
        data_sha256=core.tables.data_hash(manifest),
        weights=weights,
        mlflow_run_id=mlflow_run_id,
        libraries=core.provenance.library_versions(),
    )
