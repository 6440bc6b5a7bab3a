"""Image table: verdicts on images on a terminal."""

from collections.abc import Iterable

from rich.console import RenderableType

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.image.verdict import ImageVerdict
from weld_pipeline.runtime.results_table import results_table
from weld_pipeline.runtime.verdicts import NotInspected


def image_table(results: Iterable[ImageVerdict | NotInspected], bundle: Bundle) -> RenderableType:
    """Return a row an image, with the probability of the class that was said."""
    return results_table(
        results,
        bundle,
        columns=("Confidence",),
        cells=lambda verdict: (f"{verdict.confidence:.2f}",),
        warnings=lambda verdict: verdict.warnings,
    )
