"""Loss curves as a figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

_COLOURS = {"train": "#7a8ca3", "valid": "#c2453a"}


def curves_figure(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Return one panel a network: loss on train and valid against the epoch, the kept epoch marked.

    Args:
        curves: Per network, per metric, a value an epoch; `train_loss` and `valid_loss` are drawn.
    """
    figure = Figure(figsize=(4.2 * len(curves), 3.2), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, metrics) in zip(panels, curves.items(), strict=True):
        epochs = range(1, len(metrics["valid_loss"]) + 1)
        for split, colour in _COLOURS.items():
            axes.plot(epochs, metrics[f"{split}_loss"], color=colour, label=split, linewidth=1.5)
        best = int(np.argmin(metrics["valid_loss"])) + 1
        axes.axvline(best, color=_COLOURS["valid"], linewidth=0.8, linestyle=":", label=f"kept: epoch {best}")
        axes.set(title=name.replace("_", " "), xlabel="epoch", ylabel="loss")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
