"""Image table: verdicts on images on a terminal."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.image.verdict import ImageVerdict
from weld_pipeline.runtime.styles import VERDICT_STYLES, banner_lines, class_style, count_line, not_inspected
from weld_pipeline.runtime.verdicts import NotInspected

_COLUMNS = ("Image", "Verdict", "Class", "Confidence", "p_defect")


def image_table(results: Iterable[ImageVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a row an image, below the bundle's banners and above how many passed."""
    description = bundle.description
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
            Text(result.predicted, style=class_style(result.predicted, description), overflow="fold"),
            f"{result.confidence:.2f}",
            "" if result.p_defect is None else f"{result.p_defect:.2f}",
        )
    rule = Text(description.decision.policy.describe())
    return Group(*banner_lines(description.banners), table, count_line(verdicts), rule)
