"""Nodes that several families share."""

from typing import Any

from weld_pipeline import evaluation, report


def log_training(curves: dict[str, dict[str, list[float]]]) -> dict[str, list[dict[str, float]]]:
    """Return the metrics of every epoch as MLflow takes them."""
    return evaluation.summary.curve_metrics(curves)


def plot_curves(curves: dict[str, dict[str, list[float]]]) -> Any:
    """Return the curves of loss and accuracy as a figure."""
    return report.figures.curves_figure(curves)
