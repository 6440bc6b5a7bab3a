"""Verdicts on a terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from weld_pipeline.runtime.batch import NotInspected
from weld_pipeline.runtime.bundle import Bundle, BundleDescription, EstimateRecord
from weld_pipeline.runtime.live import LiveClip, LiveReport
from weld_pipeline.runtime.verdict import ClipResult, Decision, Stretch, VideoVerdict

_VERDICT_STYLES = {"pass": "bold green", "fail": "bold red", "no_arc": "bold yellow"}
_GOOD_STYLE = "green"
_DEFECT_STYLES = ("red", "magenta", "yellow", "cyan", "blue", "bright_red", "bright_magenta", "bright_yellow")
_COLUMNS = ("Video", "Verdict", "Timeline", "Look first at")
_BAR_COLUMNS = 24


def class_style(name: str, description: BundleDescription) -> str:
    """Return the colour of a class: green for good, a fixed one for each defect as far as a terminal has them."""
    if name == description.good_class:
        return _GOOD_STYLE
    defects = [other for other in description.classes if other != description.good_class]
    return _DEFECT_STYLES[defects.index(name) % len(_DEFECT_STYLES)]


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
            table.add_row(name, Text("not inspected", style="bold yellow"), Text(result.error, overflow="fold"), "")
            continue
        seen |= {clip.predicted for clip in result.clips}
        bar = timeline_bar(result.clips, description)
        bar.append(f"\n{len(result.clips)} clips, {result.timing.total_s:.1f} s")
        table.add_row(name, decision_text(result.decision), bar, stretch_text(result.decision.worst))
    legend = Text(" ").join(
        Text.assemble(("█", class_style(name, description)), f" {name}") for name in description.classes if name in seen
    )
    return Group(*banner_lines(description.banners), table, legend)


def banner_lines(banners: Iterable[str]) -> list[Text]:
    """Return one loud line a banner."""
    return [Text(f"! {banner}", style="bold yellow") for banner in banners]


def decision_text(decision: Decision) -> Text:
    """Return verdict, class and calibrated probability in two lines."""
    text = Text(decision.verdict.upper().replace("_", " "), overflow="fold", style=_VERDICT_STYLES[decision.verdict])
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


def bundle_table(bundle: Bundle) -> RenderableType:
    """Return what a bundle is and where it came from, below its banners."""
    description, provenance = bundle.description, bundle.description.provenance
    weights = provenance.weights
    rows = {
        "family": description.family,
        "bundle": bundle.sha256,
        "classes": ", ".join(description.classes),
        "good class": description.good_class,
        "input": f"{description.input.window} frames every {description.input.stride}, arc on, any frame size",
        "fail from": f"p_defect {description.threshold:.3f}",
        "code": f"{provenance.code_commit or 'no checkout'}{', changed' if provenance.code_is_dirty else ''}",
        "data": provenance.data_sha256,
        "weights": f"{weights.name} from {weights.source} ({weights.licence})",
        "MLflow run": provenance.mlflow_run_id or "not recorded",
        "parity": "passed" if description.parity else "not checked",
    }
    rows |= {f"file {name}": digest for name, digest in description.files.items()}
    rows |= {name.replace("_", " "): _estimate(value) for name, value in description.metrics.items()}
    return Group(*banner_lines(description.banners), _two_columns(rows))


def checkpoint_table(description: Mapping[str, Any]) -> RenderableType:
    """Return family, architecture, training, provenance and tensors of a model file."""
    rows = {"family": description["family"], "parameters": f"{description['n_parameters']:,}"}
    for part in ("architecture", "training", "provenance"):
        rows |= {f"{part} {name}": _plain(value) for name, value in description[part].items()}
    tensors = description["tensors"].items()
    rows |= {name: f"{tensor['dtype']} {' × '.join(map(str, tensor['shape'])) or 'scalar'}" for name, tensor in tensors}
    return _two_columns(rows)


def _estimate(estimate: EstimateRecord) -> str:
    if estimate.value is None:
        return f"undefined (n {estimate.n})"
    has_interval = estimate.low is not None and estimate.high is not None
    interval = f"{estimate.low:.3f} to {estimate.high:.3f}" if has_interval else "one session, no interval"
    mark = ", too small to rely on" if estimate.is_small else ""
    return f"{estimate.value:.3f} ({interval}, n {estimate.n} of {estimate.n_sessions} sessions{mark})"


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _two_columns(rows: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return table
