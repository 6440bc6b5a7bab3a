"""What must be said wherever a number is shown."""

from collections.abc import Mapping
from typing import Any


def weights_banner(weights: Mapping[str, Any] | None) -> list[str]:
    """Return a sentence if a network began with random weights, else nothing.

    Args:
        weights: Record of the weights: `name`, `is_random`.
    """
    if weights is None or not weights["is_random"]:
        return []
    return [
        f"RANDOM WEIGHTS: {weights['name']} had learnt nothing before; with pretrained weights the scores would differ."
    ]


def drawn_banner(n_drawn: int, *, n_judged: int) -> list[str]:
    """Return a sentence if recordings were drawn and not filmed, else nothing."""
    if not n_drawn:
        return []
    share = "all" if n_drawn == n_judged else f"{n_drawn} of"
    return [
        f"DRAWN DATA: {share} {n_judged} samples are drawings. The scores show that the code runs and are no results."
    ]
