"""Step: a Kedro node that bears the name of its function."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node


def step(
    function: Callable[..., Any],
    inputs: str | list[str] | dict[str, str],
    outputs: str | list[str],
    *,
    name: str | None = None,
    tags: set[str] | None = None,
) -> Node:
    """Return a node; its name is that of the function where no other is given."""
    return Node(function, inputs, outputs, name=name or function.__name__, tags=tags)
