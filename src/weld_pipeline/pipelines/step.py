"""Steps and boxes: how nodes are named, and how Kedro-Viz draws them together."""

from collections.abc import Callable, Collection
from typing import Any

from kedro.pipeline import Node, Pipeline


def step(
    function: Callable[..., Any],
    inputs: str | list[str] | dict[str, str] | None,
    outputs: str | list[str],
    *,
    name: str | None = None,
    tags: set[str] | None = None,
) -> Node:
    """Return a node; its name is that of the function where no other is given."""
    return Node(function, inputs, outputs, name=name or function.__name__, tags=tags)


def box(name: str | None, nodes: Collection[Node] | Pipeline, *, tags: set[str] | None = None) -> Pipeline:
    """Return nodes that Kedro-Viz draws as one box until it is opened; datasets and parameters keep their names.

    Args:
        name: Namespace of the nodes; None for none.
        nodes: What lies in the box.
        tags: Tags of all of them.
    """
    return Pipeline(nodes, namespace=name, prefix_datasets_with_namespace=False, tags=tags)
