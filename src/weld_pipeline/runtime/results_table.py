"""Results table: verdicts of any family on a terminal."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.styles import VERDICT_STYLES, banner_lines, class_style, count_line
from weld_pipeline.runtime.verdicts import Inspected, NotInspected


def results_table(
    results: Iterable[Any],
    bundle: Bundle,
    *,
    columns: Sequence[str],
    cells: Callable[[Any], Sequence[RenderableType]],
    warnings: Callable[[Any], Sequence[str]] = lambda _: (),
) -> RenderableType:
    """Return a row an input, below the bundle's banners and above how many passed and by what rule.

    Args:
        results: Verdicts, and reasons why there is none.
        bundle: What judged.
        columns: Columns that a family adds to the core.
        cells: Returns their content for one verdict.
        warnings: Returns what is doubtful about one verdict's input, a line each below the table.
    """
    description = bundle.description
    table = Table(*(Column(name, overflow="fold") for name in ("Input", "Verdict", "Class", "p_defect", *columns)))
    verdicts: list[str] = []
    doubts: list[Text] = []
    for result in results:
        verdicts.append(result.verdict)
        name = Text(result.path or "", overflow="fold")
        if isinstance(result, NotInspected):
            table.add_row(name, verdict_text(result.verdict), Text(result.error, overflow="fold"))
            continue
        table.add_row(name, verdict_text(result.verdict), *_core(result, bundle), *cells(result))
        doubts += [Text(f"{result.path}: {warning}", style="yellow") for warning in warnings(result)]
    rule = Text(description.decision.policy.describe())
    return Group(*banner_lines(description.banners), table, *doubts, count_line(verdicts), rule)


def verdict_text(verdict: str) -> Text:
    """Return a verdict in its colour."""
    return Text(verdict.upper().replace("_", " "), overflow="fold", style=VERDICT_STYLES[verdict])


def _core(result: Inspected, bundle: Bundle) -> tuple[Text, str]:
    name = result.predicted
    shown = Text("") if name is None else Text(name, style=class_style(name, bundle.description), overflow="fold")
    return shown, "" if result.p_defect is None else f"{result.p_defect:.2f}"
