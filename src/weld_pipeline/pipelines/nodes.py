"""Nodes that several families share, and how they are wired."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from weld_pipeline import core, evaluation, report
from weld_pipeline.pipelines.step import box, step


def note_environment() -> dict[str, Any]:
    """Return the code and the libraries that a training runs with, for whoever finds its checkpoints."""
    revision = core.provenance.code_revision()
    return {"commit": revision.commit, "is_dirty": revision.is_dirty, "libraries": core.provenance.library_versions()}


def log_training(curves: dict[str, dict[str, list[float]]]) -> dict[str, list[dict[str, float]]]:
    """Return the metrics of every epoch as MLflow takes them."""
    return evaluation.summary.curve_metrics(curves)


def plot_curves(curves: dict[str, dict[str, list[float]]]) -> Any:
    """Return the curves of loss and accuracy as a figure."""
    return report.figures.curves_figure(curves)


def open_training(folder: str) -> Node:
    """Return the node that a training's folder comes from."""
    return step(note_environment, None, folder, name=f"open_{folder}")


def show_training() -> Pipeline:
    """Return what is drawn of a training for people."""
    shown = [step(log_training, "curves", "training_metrics"), step(plot_curves, "curves", "curve_plot")]
    return box("reporting", shown, tags={"training"})
