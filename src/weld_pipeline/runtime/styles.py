"""Styles: colours and lines that every verdict on a terminal shares."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from weld_pipeline.runtime.description import BundleDescription

VERDICT_STYLES = {"pass": "bold green", "fail": "bold red", "no_arc": "bold yellow", "not_inspected": "bold yellow"}
_GOOD_STYLE = "green"
_DEFECT_STYLES = ("red", "magenta", "yellow", "cyan", "blue", "bright_red", "bright_magenta", "bright_yellow")


def class_style(name: str, description: BundleDescription) -> str:
    """Return the colour of a class: green for good, a fixed one for each defect as far as a terminal has them."""
    if name == description.good_class:
        return _GOOD_STYLE
    defects = [other for other in description.classes if other != description.good_class]
    return _DEFECT_STYLES[defects.index(name) % len(_DEFECT_STYLES)]


def banner_lines(banners: Iterable[str]) -> list[Text]:
    """Return one loud line a banner."""
    return [Text(f"! {banner}", style="bold yellow") for banner in banners]


def count_line(verdicts: Sequence[str]) -> Text:
    """Return how many inputs passed, failed or got no verdict."""
    counts = {name: verdicts.count(name) for name in ("pass", "fail", "no_arc", "not_inspected")}
    return Text(", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items() if n))
