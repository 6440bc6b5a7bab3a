"""Detectors beside each other over categories: a table, the same as text, and a figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from weld_pipeline.core.errors import WeldError
from weld_pipeline.report.figures import BAD, GOOD, GRID, INK, MODEL, MUTED

_MEASURES = ("image_auroc", "image_ap", "image_f1_max", "image_fpr_at_95_tpr", "pixel_auroc", "aupro")
_COUNTS = ("n", "n_good", "n_defect")
_SHOWN = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro": "AUPRO"}
_COLOURS = (MODEL, BAD, GOOD, MUTED)
_MEAN = "mean"


def comparison_table(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row a category and detector, and where there are several categories a mean a detector.

    A mean is there only for a detector that saw every category, so that no two means are of different sets; a number
    that is undefined in one category has no mean, and neither has AUPRO where categories end it at different rates.

    Args:
        records: As `anomaly_record` makes them.

    Raises:
        WeldError: If there is no record, or two are of one category and detector.
    """
    if not records:
        raise WeldError("comparison: no record of a detector; run the pipeline for at least one")
    table = pd.DataFrame([_row(record) for record in records]).sort_values(["category", "detector"])
    if (twice := table.duplicated(["category", "detector"])).any():
        first = table[twice].iloc[0]
        raise WeldError(f"comparison: two records of {first['detector']} on {first['category']}; name one only")
    numbers = [name for name in table if name not in {"category", "detector", "threshold_kind"}]
    table = table.astype(dict.fromkeys(numbers, "Float64") | dict.fromkeys(_COUNTS, "Int64"))
    return pd.concat([table, *_means(table)], ignore_index=True)


def as_markdown(table: pd.DataFrame) -> str:
    """Return a comparison as a Markdown table; `†` marks an image AUROC that rests on too little."""
    head = ["category", "detector", "image AUROC", "AP", "F1-max", "FPR at 95 % TPR", "pixel AUROC", _aupro(table)]
    head += ["good / defective", "threshold", "escapes", "false rejects", "p50 [ms]"]
    ends = set(table["aupro_max_fpr"].dropna())
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)]
    for row in table.to_dict("records"):
        mark = " †" if pd.notna(row["is_small"]) and row["is_small"] and pd.notna(row["image_auroc"]) else ""
        counts = "" if row["category"] == _MEAN else f"{row['n_good']} / {row['n_defect']}"
        cells = [row["category"], row["detector"], _cell(row["image_auroc"]) + _ends(row) + mark]
        cells += [_cell(row[name]) for name in _MEASURES[1:]]
        if len(ends) > 1 and pd.notna(row["aupro"]):
            cells[-1] += f" (≤ {row['aupro_max_fpr']:g})"
        cells += [counts, "" if pd.isna(row["threshold_kind"]) else row["threshold_kind"]]
        cells += [_cell(row["escape_rate"]), _cell(row["false_reject_rate"]), _cell(row["latency_p50_ms"], digits=1)]
        lines.append([str(cell).replace("|", "\\|") for cell in cells])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        text + "\n\n† too few images or sessions to rely on the interval. F1-max is an upper bound: its threshold "
        "is chosen on the judged images.\n"
    )


def comparison_figure(table: pd.DataFrame) -> Figure:
    """Return a panel a measure with a point a category and detector; image AUROC with its interval over sessions.

    Args:
        table: As `comparison_table` makes it.
    """
    categories, detectors = list(dict.fromkeys(table["category"])), sorted(set(table["detector"]))
    height = 1.3 + len(categories) * max(0.3, 0.17 * len(detectors))
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9, "text.color": INK}):
        figure = Figure(figsize=(9.6, height), layout=ConstrainedLayoutEngine(w_pad=0.12), dpi=150)
        panels = figure.subplots(1, len(_SHOWN), sharey=True)
        for axes, (measure, title) in zip(panels, _SHOWN.items(), strict=True):
            _draw_panel(axes, table, measure, categories, detectors)
            axes.set_title(_aupro(table) if measure == "aupro" else title, fontsize=9, loc="left", color=INK)
        panels[0].set_yticks(range(len(categories)), [name.replace("_", " ") for name in categories])
        panels[0].set_ylim(len(categories) - 0.5, -0.5)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(detectors), frameon=False, fontsize=8)
    return figure


def _aupro(table: pd.DataFrame) -> str:
    """Return the name of AUPRO with the false-positive rates at which it ends."""
    ends = sorted(set(table["aupro_max_fpr"].dropna()))
    return f"AUPRO (FPR ≤ {' or '.join(f'{end:g}' for end in ends)})"


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    low, high = record["intervals"]["image_auroc"] or (None, None)
    return {
        "category": record["category"],
        "detector": record["detector"],
        **{name: record[name] for name in _MEASURES},
        "aupro_max_fpr": record["pixels"]["max_fpr"],
        "image_auroc_low": low,
        "image_auroc_high": high,
        "is_small": "image_auroc" in record["n_too_small"],
        **{name: record[name] for name in _COUNTS},
        "threshold_kind": record["policy"]["chosen_by"],
        **{name: record["shipped"][name] for name in ("escape_rate", "false_reject_rate")},
        "latency_p50_ms": (record["latency_ms"] or {}).get("p50"),
    }


def _means(table: pd.DataFrame) -> list[pd.DataFrame]:
    n_categories = table["category"].nunique()
    if n_categories == 1:
        return []
    complete = table.groupby("detector").filter(lambda rows: len(rows) == n_categories)
    names = [*_MEASURES, "aupro_max_fpr", "escape_rate", "false_reject_rate", "latency_p50_ms"]
    means: list[dict[str, Any]] = [
        {"category": _MEAN, "detector": detector, **{name: rows[name].mean(skipna=False) for name in names}}
        for detector, rows in complete.groupby("detector")
    ]
    if len(set(table["aupro_max_fpr"])) > 1:
        means = [mean | {"aupro": None, "aupro_max_fpr": None} for mean in means]
    return [pd.DataFrame(means, columns=table.columns).astype(table.dtypes)] if means else []


def _draw_panel(axes: Axes, table: pd.DataFrame, measure: str, categories: list[str], detectors: list[str]) -> None:
    for number, detector in enumerate(detectors):
        rows = table[table["detector"] == detector]
        shift = 0.6 * ((number + 0.5) / len(detectors) - 0.5)
        place = np.array([categories.index(name) + shift for name in rows["category"]])
        colour = _COLOURS[number % len(_COLOURS)]
        if measure == "image_auroc":
            ends = rows[["image_auroc_low", "image_auroc_high"]].to_numpy(float, na_value=np.nan)
            axes.hlines(place, ends[:, 0], ends[:, 1], color=colour, linewidth=1, alpha=0.6)
        values = rows[measure].to_numpy(float, na_value=np.nan)
        axes.plot(values, place, "o", color=colour, ms=4, label=detector)
        for where in place[np.isnan(values)]:
            axes.text(
                0, where, "undefined", color=colour, fontsize=7, va="center", transform=axes.get_yaxis_transform()
            )
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=MUTED)
    axes.spines[:].set_visible(False)
    axes.set_xlim(right=1.01)


def _cell(value: Any, *, digits: int = 3) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _ends(row: Mapping[Any, Any]) -> str:
    low, high = row["image_auroc_low"], row["image_auroc_high"]
    return "" if pd.isna(low) else f" ({low:.3f} to {high:.3f})"
