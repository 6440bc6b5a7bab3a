"""Verdicts on images on a terminal."""

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
    said = []
    for result in results:
        if isinstance(result, NotInspected):
            said.append("not inspected")
            table.add_row(Text(result.path, overflow="fold"), *not_inspected(result), "", "")
            continue
        said.append(result.verdict)
        table.add_row(
            Text(result.path or "", overflow="fold"),
            Text(result.verdict.upper(), style=VERDICT_STYLES[result.verdict]),
            Text(result.predicted, style=class_style(result.predicted, description), overflow="fold"),
            f"{result.confidence:.2f}",
            "" if result.p_defect is None else f"{result.p_defect:.2f}",
        )
    rule = Text("" if description.threshold is None else f"fail from p_defect {description.threshold:.2f}")
    return Group(*banner_lines(description.banners), table, count_line(said), rule)
