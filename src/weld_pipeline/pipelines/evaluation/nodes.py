"""Nodes of `evaluation`."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.pipelines.evaluation.params import EvaluationParams


def evaluate_predictions(
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    params: EvaluationParams,
    calibration: dict[str, Any] | None = None,
    anomaly_scores: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return everything measured on the rows of the chosen split."""
    from weld_pipeline.evaluation.estimates import Protocol
    from weld_pipeline.evaluation.evaluation import evaluate
    from weld_pipeline.evaluation.rows import classes_of, evaluation_rows, good_classes, train_rows
    from weld_pipeline.evaluation.summary import to_record

    evaluation = evaluate(
        evaluation_rows(predictions, manifest, split=params.split, anomaly_scores=anomaly_scores),
        good=good_classes(predictions),
        protocol=Protocol(**params.model_dump(include=set(Protocol.__dataclass_fields__))),
        classes=classes_of(predictions),
        train=train_rows(manifest, predictions),
        threshold=calibration["threshold"] if calibration else None,
    )
    return to_record(evaluation)


def tabulate_classes(evaluation: dict[str, Any]) -> pd.DataFrame:
    """Return a row a class: n, recall, precision, F1 with their intervals, AUROC."""
    from weld_pipeline.evaluation.summary import class_table, from_record

    return class_table(from_record(evaluation))


def flatten_metrics(evaluation: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the numbers worth comparing between runs, as MLflow takes them."""
    from weld_pipeline.evaluation.summary import flat_metrics, from_record

    return {name: {"value": value, "step": 0} for name, value in flat_metrics(from_record(evaluation)).items()}


def plot_confusion(evaluation: dict[str, Any]) -> Any:
    """Return the confusion matrix as a figure."""
    from weld_pipeline.evaluation.summary import from_record
    from weld_pipeline.report.figures import confusion_figure

    return confusion_figure(from_record(evaluation))


def plot_confounds(evaluation: dict[str, Any]) -> Any:
    """Return the model's accuracy beside that of guesses that do not look at the weld."""
    from weld_pipeline.evaluation.summary import from_record
    from weld_pipeline.report.figures import confound_figure

    return confound_figure(from_record(evaluation))


def plot_reliability(evaluation: dict[str, Any]) -> Any:
    """Return stated probabilities against what came true."""
    from weld_pipeline.evaluation.summary import from_record
    from weld_pipeline.report.figures import reliability_figure

    return reliability_figure(from_record(evaluation).reliability)


def list_predictions(predictions: pd.DataFrame, params: EvaluationParams) -> pd.DataFrame:
    """Return the predictions of the chosen split as a list to read."""
    from weld_pipeline.evaluation.rows import listed

    return listed(predictions[predictions["split"] == params.split])


def pick_mistakes(predictions: pd.DataFrame, params: EvaluationParams) -> pd.DataFrame:
    """Return the worst wrong predictions of the chosen split."""
    from weld_pipeline.evaluation.rows import good_classes, worst_mistakes

    judged = predictions[predictions["split"] == params.split]
    return worst_mistakes(judged, good=good_classes(predictions), n=params.n_mistakes)


def show_mistakes(
    mistakes: pd.DataFrame, manifest: pd.DataFrame, raw: SourceTree, params: EvaluationParams
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a sheet with the picture, or a row of frames, of each mistake."""
    from weld_pipeline.report.sheets.mistakes import Exhibit, strip_sheet

    rows = mistakes[["sample_id"]].merge(manifest, on="sample_id", how="left", validate="one_to_one")
    exhibits = [
        Exhibit(raw.root / row["path"])
        if row["media"] == "image"
        else Exhibit(raw.root / row["path"], float(row["arc_start_s"]), float(row["arc_on_s"]))
        for row in rows.to_dict("records")
    ]
    return strip_sheet(exhibits, n_frames=params.n_frames)


def collect_banners(
    split_audit: dict[str, Any],
    weights: dict[str, Any] | None = None,
    calibration: dict[str, Any] | None = None,
    fit_check: dict[str, Any] | None = None,
) -> list[str]:
    """Return what must be said beside every number: leakage, drawn data, random weights, no calibration, no fit."""
    from weld_pipeline.report.banners import calibration_banner, fit_banner, weights_banner

    said = weights_banner(weights) if weights else []
    said += calibration_banner(calibration) if calibration is not None else []
    return [*split_audit["banners"], *said, *(fit_banner(fit_check) if fit_check else [])]


def render_evaluation_report(
    *,
    family_name: str,
    evaluation: dict[str, Any],
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    mistakes: pd.DataFrame,
    mistake_frames: UInt8[np.ndarray, "H W 3"],
    banners: list[str],
    mlflow_run_id: str | None,
    params: EvaluationParams,
    weights: dict[str, Any] | None = None,
    curves: dict[str, dict[str, list[float]]] | None = None,
) -> str:
    """Return the report as one HTML page."""
    from weld_pipeline.core.provenance import code_revision, library_versions
    from weld_pipeline.core.tables import data_hash
    from weld_pipeline.evaluation.summary import from_record
    from weld_pipeline.report.family_page import family_report

    return family_report(
        from_record(evaluation),
        family=family_name,
        split=params.split,
        rows=predictions[predictions["split"] == params.split],
        mistakes=mistakes,
        sheet=mistake_frames,
        banners=banners,
        curves=curves or {},
        revision=code_revision(),
        data_sha256=data_hash(manifest),
        weights=weights,
        mlflow_run_id=mlflow_run_id,
        libraries=library_versions(),
    )
