"""Verdicts as an image: what each clip looked like, along time and bead."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

_INK, _MUTED, _GRID, _GOOD = "#1b2430", "#66717f", "#e3e7ec", "#3a8f6b"
_VERDICT_COLOURS = {"pass": _GOOD, "fail": "#c2453a", "no_arc": "#b07d12"}
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _MUTED,
    "text.color": _INK,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
}


def class_colours(classes: Sequence[str], *, good_class: str) -> dict[str, Any]:
    """Return a colour a class: green for good, distinct warm and cold ones for the defects."""
    # tab20 without its two greens, which belong to good welds.
    palette = [mpl.colormaps["tab20"](index) for index in range(20) if index not in (4, 5)]
    defects = [name for name in classes if name != good_class]
    return {good_class: _GOOD} | {name: palette[index % len(palette)] for index, name in enumerate(defects)}


@mpl.rc_context(_STYLE)
def timeline_figure(videos: Sequence[Mapping[str, Any]], *, classes: Sequence[str], good_class: str) -> Figure:
    """Return one strip a video: coloured by class, with the share of not good as a line, from arc start on.

    Args:
        videos: `VideoVerdict.to_json()` with `sample_id` and, where known, the true `label`.
    """
    colours = class_colours(classes, good_class=good_class)
    figure = Figure(figsize=(9, 0.75 + 0.95 * max(len(videos), 1)), layout="constrained", dpi=130)
    all_axes = figure.subplots(max(len(videos), 1), 1, squeeze=False)[:, 0]
    for axes, video in zip(all_axes, videos, strict=False):
        _draw_strip(axes, video, colours)
    all_axes[-1].set_xlabel(
        "s in the recording; line: p(not good), 0 at the foot to 1 at the top; bar above: look here first"
    )
    seen = {clip["predicted"] for video in videos for clip in video["clips"]}
    handles = [Patch(color=colours[name], label=name.replace("_", " ")) for name in classes if name in seen]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure


def _draw_strip(axes: Axes, video: Mapping[str, Any], colours: Mapping[str, Any]) -> None:
    clips = video["clips"]
    starts_s = [clip["start_s"] for clip in clips] + [float("inf")]
    # Clips overlap: each is drawn up to the start of the next, the last to its own end.
    for clip, next_s in zip(clips, starts_s[1:], strict=True):
        end_s = min(clip["end_s"], next_s)
        axes.axvspan(clip["start_s"], end_s, color=colours[clip["predicted"]], alpha=0.85, linewidth=0)
    middles = [(clip["start_s"] + clip["end_s"]) / 2 for clip in clips]
    axes.plot(middles, [clip["p_not_good"] for clip in clips], color="white", linewidth=2.6)
    axes.plot(middles, [clip["p_not_good"] for clip in clips], color=_INK, linewidth=1.1)
    worst = video["worst"]
    if worst is not None:
        axes.plot([worst["start_s"], worst["end_s"]], [1.07, 1.07], color=_INK, linewidth=2, clip_on=False)
    axes.set_ylim(0, 1)
    axes.set_xlim(0, video["timing"]["video_s"])
    axes.set_yticks([])
    axes.set_title(_title(video), loc="left", fontsize=8, pad=9)
    verdict = video["verdict"].replace("_", " ").upper()
    axes.set_title(verdict, loc="right", fontsize=8, fontweight="bold", pad=9, color=_VERDICT_COLOURS[video["verdict"]])


def _title(video: Mapping[str, Any]) -> str:
    parts = [str(video["sample_id"])]
    if video.get("label"):
        parts.append("true " + video["label"].replace("_", " "))
    if video["predicted"] is not None:
        probability = "" if video["p_defect"] is None else f", p_defect {video['p_defect']:.2f}"
        parts.append(f"said {video['predicted'].replace('_', ' ')}{probability}")
    if video["worst"] is not None and video["worst"]["start_mm"] is not None:
        parts.append(f"worst at {video['worst']['start_mm']:.0f} to {video['worst']['end_mm']:.0f} mm")
    return "  ·  ".join(parts)
