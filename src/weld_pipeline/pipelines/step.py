"""Steps and boxes: how nodes are named, and how Kedro-Viz draws them together."""

import inspect
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from kedro.pipeline import Node, Pipeline


@contextmanager
def _dots_are_meant() -> Iterator[None]:
    """Keep Kedro from warning of dots in names: boxes and the data in them have namespaces of their own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One or more dataset names contain '.'")
        yield


@_dots_are_meant()
def step(
    function: Callable[..., Any],
    inputs: str | list[str] | dict[str, str] | None,
    outputs: str | list[str],
    *,
    name: str | None = None,
    tags: set[str] | None = None,
) -> Node:
    """Return a node; its name is that of the function where no other is given."""
    if isinstance(inputs, dict):
        # Kedro finds a parameter's type by its place, which it cannot see through the shape checker of the tests.
        order = {argument: place for place, argument in enumerate(inspect.signature(function).parameters)}
        inputs = dict(sorted(inputs.items(), key=lambda given: order.get(given[0], len(order))))
    return Node(function, inputs, outputs, name=name or function.__name__, tags=tags)


@_dots_are_meant()
def box(name: str | None, nodes: Collection[Node] | Pipeline, *, tags: set[str] | None = None) -> Pipeline:
    """Return nodes that Kedro-Viz draws as one box until it is opened; datasets and parameters keep their names.

    Args:
        name: Namespace of the nodes; None for none.
    """
    return Pipeline(nodes, namespace=name, prefix_datasets_with_namespace=False, tags=tags)
