"""Curves: the metrics of training and validation, one value for each epoch."""

from weld_pipeline.nn.training.loop import Trained

Curves = dict[str, list[float]]


def curves_of(trained: Trained) -> Curves:
    """Return every logged metric, one value for each epoch."""
    return {name: [row[name] for row in trained.history] for name in trained.history[0] if name != "epoch"}
