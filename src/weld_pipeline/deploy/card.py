"""The model card: what a person must know before trusting a bundle."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

# What is read first; the other rates follow, and the baselines come last.
_HEADLINES = (
    "image_auroc",
    "pixel_auroc",
    "aupro",
    "accuracy",
    "macro_f1",
    "balanced_accuracy",
    "defect_recall",
    "good_specificity",
    "auroc",
)


def model_card(description: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        description: As `describe_bundle` makes it; `parity` is None for a candidate.
    """
    environment = Environment(
        loader=PackageLoader("weld_pipeline.deploy"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown, read as text
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": _number, "interval": _interval}
    template = environment.get_template(f"card_{description['input']['contract']}.md.j2")
    return template.render({**description, "metrics": _ordered(description["metrics"])})


def _ordered(metrics: Mapping[str, Any]) -> dict[str, Any]:
    def place(name: str) -> tuple[bool, int, str]:
        return name.startswith("baseline_"), _HEADLINES.index(name) if name in _HEADLINES else len(_HEADLINES), name

    return {name: metrics[name] for name in sorted(metrics, key=place)}


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _interval(estimate: Mapping[str, Any]) -> str:
    if estimate["low"] is None or estimate["high"] is None:
        return "none"
    return f"{estimate['low']:.3f} to {estimate['high']:.3f}"
