"""Video table: verdicts on videos on a terminal."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.description import BundleDescription
from weld_pipeline.runtime.styles import VERDICT_STYLES, banner_lines, class_style, count_line, not_inspected
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.runtime.video.verdict import ClipResult, RunVerdict, Stretch, VideoVerdict

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


def video_table(results: Iterable[VideoVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a table of verdicts with timelines, below the bundle's banners and above a legend of colours."""
    description = bundle.description
    table = Table(*(Column(name, overflow="fold") for name in _COLUMNS), show_lines=True)
    seen: set[str] = set()
    verdicts = []
    for result in results:
        verdicts.append(result.verdict)
        name = Text(Path(result.path).name, overflow="fold")
        if isinstance(result, NotInspected):
            table.add_row(name, *not_inspected(result), "")
            continue
        seen |= {clip.predicted for clip in result.clips}
        bar = timeline_bar(result.clips, description)
        bar.append(f"\n{len(result.clips)} clips, {result.timing.total_s:.1f} s")
        table.add_row(name, run_text(result.run), bar, stretch_text(result.run.worst))
    legend = Text(" ").join(
        Text.assemble(("█", class_style(name, description)), f" {name}") for name in description.classes if name in seen
    )
    rule = Text(description.decision.policy.describe())
    return Group(*banner_lines(description.banners), table, legend, count_line(verdicts), rule)


def run_text(run: RunVerdict) -> Text:
    """Return verdict, class and, where there is one, calibrated probability, a line each."""
    text = Text(run.verdict.upper().replace("_", " "), overflow="fold", style=VERDICT_STYLES[run.verdict])
    if run.predicted is None:
        return text.append("\nno clip with the arc on", style="not bold default")
    probability = "" if run.p_defect is None else f"\np_defect {run.p_defect:.2f}"
    return text.append(f"\n{run.predicted}{probability}", style="not bold default")


def stretch_text(stretch: Stretch | None) -> str:
    """Return where the worst stretch lies, in seconds and, where known, in millimetres."""
    if stretch is None:
        return ""
    where = f"{stretch.start_s:.1f} to {stretch.end_s:.1f} s"
    if stretch.start_mm is not None and stretch.end_mm is not None:
        where += f"\n{stretch.start_mm:.0f} to {stretch.end_mm:.0f} mm"
    return f"{where}\n{stretch.predicted}, p(not good) {stretch.p_not_good:.2f}"
