"""Live table: clips and verdict of a running inspection on a terminal."""

from rich.console import Group, RenderableType
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.results_table import verdict_text
from weld_pipeline.runtime.styles import class_style
from weld_pipeline.runtime.video.live import LiveClip, LiveReport
from weld_pipeline.runtime.video.table import stretch_text


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
    run = report.run
    lines = [verdict_text(run.verdict), Text(run.predicted or "no clip with the arc on")]
    if run.p_defect is not None:
        lines.append(Text(f"p_defect {run.p_defect:.2f}"))
    if report.real_time_factor is not None and report.max_latency_ms is not None:
        keeps_up = "keeps up" if report.real_time_factor < 1 else "slower than the camera"
        lines += [
            Text(f"worst stretch: {stretch_text(report.run.worst)}".replace("\n", ", ")),
            Text(
                f"real-time factor {report.real_time_factor:.2f} ({keeps_up}), longest latency {report.max_latency_ms:.0f} ms"
            ),
        ]
    lines.append(
        Text(f"{report.n_frames} frames, {report.run.n_clips} clips seen, {report.n_dropped_clips} clips dropped")
    )
    lines += [Text(warning, style="yellow") for warning in report.warnings]
    return Group(*lines)
