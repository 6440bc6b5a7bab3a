"""Video table: verdicts on videos on a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.description import BundleDescription
from weld_pipeline.runtime.results_table import results_table
from weld_pipeline.runtime.styles import class_style
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.runtime.video.verdict import ClipResult, Stretch, VideoVerdict

_BAR_COLUMNS = 24


def video_table(results: Iterable[VideoVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a row a video, with its timeline and the stretch to look at first, above a legend of colours."""
    description = bundle.description
    seen: set[str] = set()

    def cells(verdict: VideoVerdict) -> tuple[Text, str]:
        seen.update(clip.predicted for clip in verdict.clips)
        bar = timeline_bar(verdict.clips, description)
        bar.append(f"\n{len(verdict.clips)} clips, {verdict.timing.total_s:.1f} s")
        return bar, "\n".join((stretch_text(verdict.run.worst), *verdict.warnings)).strip()

    table = results_table(results, bundle, columns=("Timeline", "Look first at"), cells=cells)
    legend = Text(" ").join(
        Text.assemble(("█", class_style(name, description)), f" {name}") for name in description.classes if name in seen
    )
    return Group(table, legend)


def timeline_bar(clips: Sequence[ClipResult], description: BundleDescription, *, columns: int = _BAR_COLUMNS) -> Text:
    """Return coloured blocks, in the order of time; where clips outnumber columns, a block shows its worst clip."""
    bar = Text(overflow="fold")
    n_blocks = min(columns, len(clips))
    for block in range(n_blocks):
        part = clips[block * len(clips) // n_blocks : (block + 1) * len(clips) // n_blocks]
        worst = max(part, key=lambda clip: clip.p_not_good)
        bar.append("█", style=class_style(worst.predicted, description))
    return bar


def stretch_text(stretch: Stretch | None) -> str:
    """Return where the worst stretch lies, in seconds and, where known, in millimetres."""
    if stretch is None:
        return ""
    where = f"{stretch.start_s:.1f} to {stretch.end_s:.1f} s"
    if stretch.start_mm is not None and stretch.end_mm is not None:
        where += f"\n{stretch.start_mm:.0f} to {stretch.end_mm:.0f} mm"
    return f"{where}\n{stretch.predicted}, p(not good) {stretch.p_not_good:.2f}"
