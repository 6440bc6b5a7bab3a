"""Wiring of `overview`, one template for a model, a data set and several of them."""

from collections.abc import Callable, Mapping
from typing import Any

from kedro.pipeline import Pipeline

from weld_pipeline import report
from weld_pipeline.pipelines.step import step


def create_pipeline(name: str, parts: Mapping[str, str], *, output: str) -> Pipeline:
    """Return the node that joins datasets into a page.

    Args:
        parts: Name on the page to dataset; `banners` and `evaluation` stand at the top.
    """
    return Pipeline([step(_rendering(name.replace("_", " ").capitalize()), dict(parts), output, tags={"overview"})])


def _rendering(title: str) -> Callable[..., str]:
    # The parts differ from page to page, so the node takes them by name.
    def render_overview(**parts: Any) -> str:
        """Return the page."""
        return report.overview.overview_page(title, parts)

    return render_overview
