"""Anomaly table: a detector's verdicts on a terminal."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.styles import VERDICT_STYLES, banner_lines, count_line, not_inspected
from weld_pipeline.runtime.verdicts import NotInspected

_COLUMNS = ("Image", "Verdict", "Score", "p_defect", "Look first at")


def anomaly_table(results: Iterable[AnomalyVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a row an image, below the bundle's banners and above how many passed and by what rule."""
    table = Table(*(Column(name, overflow="fold") for name in _COLUMNS))
    verdicts = []
    for result in results:
        verdicts.append(result.verdict)
        if isinstance(result, NotInspected):
            table.add_row(Text(result.path, overflow="fold"), *not_inspected(result), "", "")
            continue
        table.add_row(
            Text(result.path or "", overflow="fold"),
            Text(result.verdict.upper(), style=VERDICT_STYLES[result.verdict]),
            f"{result.score:.4g}",
            "" if result.p_defect is None else f"{result.p_defect:.2f}",
            _place(result),
        )
    rule = Text(bundle.description.decision.policy.describe())
    return Group(*banner_lines(bundle.description.banners), table, count_line(verdicts), rule)


def _place(result: AnomalyVerdict) -> str:
    """Return where the map is worst, if it is marked anywhere."""
    if not result.regions:
        return ""
    worst = result.regions[0]
    others = f", {len(result.regions) - 1} more" if len(result.regions) > 1 else ""
    return f"row {worst.top}, column {worst.left}: {worst.height} × {worst.width} px{others}"
