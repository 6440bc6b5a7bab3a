"""Verdicts on videos on a terminal."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.description import BundleDescription
from weld_pipeline.runtime.styles import VERDICT_STYLES, banner_lines, class_style, not_inspected
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.runtime.video.live import LiveClip, LiveReport
from weld_pipeline.runtime.video.verdict import ClipResult, Decision, Stretch, VideoVerdict

_COLUMNS = ("Video", "Verdict", "Timeline", "Look first at")
_BAR_COLUMNS = 24


def timeline_bar(clips: Sequence[ClipResult], description: BundleDescription, *, columns: int = _BAR_COLUMNS) -> Text:
    """Return coloured blocks, in the order of time; where clips outnumber columns, a block shows its worst clip."""
    bar = Text(overflow="fold")
    n_blocks = min(columns, len(clips))
    for block in range(n_blocks):
        part = clips[block * len(clips) // n_blocks : (block + 1) * len(clips) // n_blocks]
        worst = max(part, key=lambda clip: clip.p_not_good)
        bar.append("█", style=class_style(worst.predicted, description))
    return bar


def verdict_table(results: Iterable[VideoVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a table of verdicts with timelines, below the bundle's banners and above a legend of colours."""
    description = bundle.description
    table = Table(*(Column(name, overflow="fold") for name in _COLUMNS), show_lines=True)
    seen: set[str] = set()
    for result in results:
        name = Text(Path(result.path).name, overflow="fold")
        if isinstance(result, NotInspected):
            table.add_row(name, *not_inspected(result), "")
            continue
        seen |= {clip.predicted for clip in result.clips}
        bar = timeline_bar(result.clips, description)
        bar.append(f"\n{len(result.clips)} clips, {result.timing.total_s:.1f} s")
        table.add_row(name, decision_text(result.decision), bar, stretch_text(result.decision.worst))
    legend = Text(" ").join(
        Text.assemble(("█", class_style(name, description)), f" {name}") for name in description.classes if name in seen
    )
    return Group(*banner_lines(description.banners), table, legend)


def decision_text(decision: Decision) -> Text:
    """Return verdict, class and calibrated probability in two lines."""
    text = Text(decision.verdict.upper().replace("_", " "), overflow="fold", style=VERDICT_STYLES[decision.verdict])
    if decision.predicted is None or decision.p_defect is None:
        return text.append("\nno clip with the arc on", style="not bold default")
    detail = f"\n{decision.predicted}\np_defect {decision.p_defect:.2f} (fail from {decision.threshold:.2f})"
    return text.append(detail, style="not bold default")


def stretch_text(stretch: Stretch | None) -> str:
    """Return where the worst stretch lies, in seconds and, where known, in millimetres."""
    if stretch is None:
        return ""
    where = f"{stretch.start_s:.1f} to {stretch.end_s:.1f} s"
    if stretch.start_mm is not None and stretch.end_mm is not None:
        where += f"\n{stretch.start_mm:.0f} to {stretch.end_mm:.0f} mm"
    return f"{where}\n{stretch.predicted}, p(not good) {stretch.p_not_good:.2f}"


def live_line(clip: LiveClip, bundle: Bundle) -> Text:
    """Return one clip in one line: time, place, how bad, latency, class with its probability, drops so far."""
    result = clip.result
    style = class_style(result.predicted, bundle.description)
    line = Text(f"{result.start_s:7.2f} s")
    if result.start_mm is not None:
        line.append(f" {result.start_mm:6.1f} mm")
    line.append(f"  p(not good) {result.p_not_good:.2f}  {clip.latency_ms:5.0f} ms  ")
    line.append(f"█ {result.predicted}", style=style)
    line.append(f" {result.probabilities[result.predicted]:.2f}")
    return line.append(f"  {clip.n_dropped} dropped", style="yellow") if clip.n_dropped else line


def live_summary(report: LiveReport) -> RenderableType:
    """Return the verdict and how well the machine kept up."""
    lines = [decision_text(report.decision)]
    if report.real_time_factor is not None and report.max_latency_ms is not None:
        keeps_up = "keeps up" if report.real_time_factor < 1 else "slower than the camera"
        lines += [
            Text(f"worst stretch: {stretch_text(report.decision.worst)}".replace("\n", ", ")),
            Text(
                f"real-time factor {report.real_time_factor:.2f} ({keeps_up}), longest latency {report.max_latency_ms:.0f} ms"
            ),
        ]
    lines.append(
        Text(f"{report.n_frames} frames, {report.decision.n_clips} clips seen, {report.n_dropped_clips} clips dropped")
    )
    return Group(*lines)
