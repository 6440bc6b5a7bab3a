"""The image of an audit: which class was recorded when, and which split got it."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from weld_pipeline.core.tables import SPLITS

_COLOURS = {"train": "#1f5fa8", "valid": "#e0a030", "calib": "#3a8f6b", "test": "#c2453a", "": "#c9ced6"}
_MAX_SESSIONS = 120
_INCH_PER_SIGN = 0.065  # of a name in the font below


def plot_class_by_session(table: pd.DataFrame) -> Figure:
    """Return a figure with a dot for each class in each session, its area the number of rows, its colour the split.

    Sessions without a usable row are grey, those in several splits black. Beyond 120 sessions only the largest are
    shown.

    Args:
        table: From `class_by_session`: session, splits, n_usable and a column a class.
    """
    counts = table.set_index("session").drop(columns=["n_usable", "splits"])
    n_left_out = max(len(counts) - _MAX_SESSIONS, 0)
    counts = counts.loc[counts.sum(axis=1).nlargest(_MAX_SESSIONS).index].sort_index()
    split_of = table.set_index("session")["splits"]
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        width = max(6.0, 0.17 * len(counts) + 1.5 + _INCH_PER_SIGN * _longest(counts.columns))
        height = 0.32 * counts.shape[1] + 1.4 + _INCH_PER_SIGN * _longest(counts.index)
        figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
        axes = figure.add_subplot()
        session, label = np.nonzero(counts.to_numpy())
        n = counts.to_numpy()[session, label]
        colours = [_COLOURS.get(split_of[name], "black") for name in counts.index]
        # Area is proportional to the count, the largest dot about as wide as a row.
        axes.scatter(
            session, label, s=160 * n / max(n.max(initial=1), 1) + 4, c=[colours[i] for i in session], linewidths=0
        )
        axes.set_xticks(range(len(counts)), counts.index, rotation=90)
        axes.set_yticks(range(counts.shape[1]), counts.columns)
        axes.invert_yaxis()
        axes.grid(color="#e3e7ec", linewidth=0.5)
        axes.set_axisbelow(True)
        title = f"{int(counts.to_numpy().sum())} rows, {counts.shape[1]} classes, {len(counts)} sessions"
        axes.set_title(title + (f" ({n_left_out} smaller ones not shown)" if n_left_out else ""), loc="left")
        named = {"unused": _COLOURS[""]} | {split: _COLOURS[split] for split in SPLITS} | {"several splits": "black"}
        handles = [Patch(color=colour, label=name) for name, colour in named.items()]
        figure.legend(handles=handles, loc="outside lower left", ncols=6, frameon=False)
    return figure


def _longest(names: pd.Index) -> int:
    return max((len(str(name)) for name in names), default=0)
