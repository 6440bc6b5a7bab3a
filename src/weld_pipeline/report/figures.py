"""The plots of an evaluation, drawn without a display and the same bytes every time."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from weld_pipeline.evaluation.baselines import CONFOUNDS, Baseline
from weld_pipeline.evaluation.estimates import Estimate
from weld_pipeline.evaluation.evaluation import Evaluation
from weld_pipeline.evaluation.reliability import Reliability

INK, MUTED, GRID, MODEL, GUESS, GOOD, BAD = "#1b2430", "#66717f", "#e3e7ec", "#1f5fa8", "#b9c2cd", "#3a8f6b", "#c2453a"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "weld-pipeline",  # otherwise ids in the file are random
}


@mpl.rc_context(_STYLE)
def confusion_figure(evaluation: Evaluation) -> Figure:
    """Return the confusion matrix: counts, each row shaded by its share."""
    n_classes = len(evaluation.classes)
    counts = np.array(evaluation.confusion)
    size = 2.4 + 0.46 * n_classes
    figure, axes = _canvas(size + 0.6, size)
    n_true = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, n_true, out=np.zeros(counts.shape), where=n_true > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > 0):
        colour = "white" if share[row, column] > 0.5 else INK  # noqa: PLR2004 - the middle of the colour scale
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=8)
    names = [name.replace("_", " ") for name in evaluation.classes]
    axes.set_xticks(range(n_classes), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n_classes), names)
    axes.set_xticks(np.arange(n_classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n_classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return figure


@mpl.rc_context(_STYLE)
def confound_figure(evaluation: Evaluation) -> Figure:
    """Return the accuracy of the model above that of every guess that does not look at the weld."""
    rows: list[tuple[str, Estimate, str]] = [("model", evaluation.rates["accuracy"], MODEL)]
    rows += [(_says(baseline), baseline.rates["accuracy"], GUESS) for baseline in evaluation.baselines]
    figure, axes = _canvas(7.2, 0.7 + 0.36 * len(rows))
    for height, (name, estimate, colour) in enumerate(reversed(rows)):
        value = 100 * (estimate.value or 0)
        axes.barh(height, value, color=colour, height=0.62)
        if estimate.low is not None and estimate.high is not None:
            axes.plot([100 * estimate.low, 100 * estimate.high], [height, height], color=INK, linewidth=1.2)
        end = 100 * (estimate.high if estimate.high is not None else estimate.value or 0)
        weight = "bold" if name == "model" else "normal"
        axes.text(end + 1.2, height, f"{value:.1f}", va="center", fontsize=8.5, fontweight=weight)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 108)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("accuracy on the same rows [%]")
    axes.spines["left"].set_visible(False)
    return figure


@mpl.rc_context(_STYLE)
def reliability_figure(curves: Mapping[str, Reliability]) -> Figure:
    """Return stated against observed, a panel a curve, with how many rows stand behind each point."""
    titles = {"class": "probability of the class said", "defect": "probability of a defect"}
    figure, panels = _canvases(3.7 * max(len(curves), 1), 3.6, n_panels=max(len(curves), 1))
    for axes, (name, curve) in zip(panels, curves.items(), strict=False):
        axes.plot([0, 1], [0, 1], color=GUESS, linewidth=1, linestyle="--")
        shown = np.array(curve.n) > 0
        stated, observed, low, high = (
            np.array(values, dtype=float)[shown] for values in (curve.stated, curve.observed, curve.low, curve.high)
        )
        area = 14 + 220 * np.array(curve.n)[shown] / sum(curve.n)
        axes.errorbar(
            stated, observed, np.maximum([observed - low, high - observed], 0), fmt="none", ecolor=MUTED, linewidth=1
        )
        axes.scatter(stated, observed, s=area, color=MODEL, zorder=3)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=f"stated {titles[name]}", ylabel="share that came true")
        axes.set_title(f"ECE {curve.ece:.3f}", fontsize=9, loc="left", color=INK)
        axes.set_aspect("equal")
    if not curves:
        panels[0].set_axis_off()
        panels[0].text(0, 0.5, "No probabilities in the predictions.", color=MUTED)
    return figure


@mpl.rc_context(_STYLE)
def score_figure(
    values: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"], *, name: str, threshold: float | None
) -> Figure:
    """Return how a score spreads over good and defective welds.

    Args:
        values: Higher is worse.
        name: Of the axis.
        threshold: Drawn as a line if there is one.
    """
    figure, axes = _canvas(7.2, 2.8)
    edges = np.histogram_bin_edges(values, bins=30)
    for chosen, label, colour in ((~is_defect, "good welds", GOOD), (is_defect, "defective welds", BAD)):
        axes.hist(values[chosen], bins=edges.tolist(), color=colour, alpha=0.62, label=f"{label} (n = {chosen.sum()})")
    if threshold is not None:
        axes.axvline(threshold, color=INK, linewidth=1.2, linestyle="--", label=f"threshold {threshold:.3g}")
    axes.set(xlabel=f"{name}  (higher is worse)", ylabel="samples")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    return figure


@mpl.rc_context(_STYLE)
def curves_figure(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Return loss curves, a panel a model, the epoch that was kept marked.

    Args:
        curves: Per model, per metric, a value an epoch; `train_loss` and `valid_loss` are drawn. The first epoch is 1.
    """
    figure, panels = _canvases(3.6 * len(curves), 2.7, n_panels=len(curves))
    for axes, (model, metrics) in zip(panels, curves.items(), strict=True):
        for split, colour in (("train", MUTED), ("valid", MODEL)):
            losses = metrics[f"{split}_loss"]
            axes.plot(range(1, len(losses) + 1), losses, color=colour, linewidth=1.4, label=split)
        kept = int(np.argmin(metrics["valid_loss"])) + 1
        axes.axvline(kept, color=MODEL, linewidth=0.8, linestyle=":", label=f"kept: epoch {kept}")
        axes.set_title(model.replace("_", " "), fontsize=9, loc="left", color=INK)
        axes.set(xlabel="epoch", ylabel="loss")
        axes.legend(frameon=False, fontsize=8)
    return figure


@mpl.rc_context(_STYLE)
def as_svg(figure: Figure) -> str:
    """Return a figure as SVG text, equal for equal figures."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _says(baseline: Baseline) -> str:
    source = "test rows, leave-one-out" if baseline.fit_on == "test" else "learnt on train"
    if baseline.name == "majority":
        source = f"{baseline.fit_on} rows"
        return f"commonest class ({source})"
    return f"{CONFOUNDS[baseline.name]} only ({source})"


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure, panels = _canvases(width, height, n_panels=1)
    return figure, panels[0]


def _canvases(width: float, height: float, *, n_panels: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
    return figure, list(figure.subplots(1, n_panels, squeeze=False)[0])
