"""Anomaly table: a detector's verdicts on a terminal."""

from collections.abc import Iterable

from rich.console import RenderableType

from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.results_table import results_table
from weld_pipeline.runtime.verdicts import NotInspected


def anomaly_table(results: Iterable[AnomalyVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a row an image, with its score and the place to look at first."""
    return results_table(
        results,
        bundle,
        columns=("Score", "Look first at"),
        cells=lambda verdict: (f"{verdict.score:.4g}", _place(verdict)),
        warnings=lambda verdict: verdict.warnings,
    )


def _place(result: AnomalyVerdict) -> str:
    """Return where the map is worst, if it is marked anywhere."""
    if not result.regions:
        return ""
    worst = result.regions[0]
    others = f", {len(result.regions) - 1} more" if len(result.regions) > 1 else ""
    return f"row {worst.top}, column {worst.left}: {worst.height} × {worst.width} px{others}"
