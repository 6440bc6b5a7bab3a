"""Families at the gate: how the bundle of each is compared with torch."""

from collections.abc import Callable
from typing import Any

from torch import nn

from weld_pipeline.deploy.parity import anomaly, image, video
from weld_pipeline.deploy.parity.gate import Compare
from weld_pipeline.engines.session import Engine
from weld_pipeline.runtime.bundle import Bundle

# By the contract in bundle.json. A further family is a line here.
COMPARISONS: dict[str, Callable[..., Compare]] = {
    "clips": video.comparison,
    "views": image.comparison,
    "anomaly_map": anomaly.comparison,
}


def comparison_of(bundle: Bundle, module: nn.Module, *, n_parts: int | None) -> Callable[[Engine], Compare]:
    """Return what opens a bundle on an engine and compares it, whatever its family.

    Args:
        n_parts: Clips of each video that torch sees too; None for all, as of families that are compared whole.
    """
    options: dict[str, Any] = {} if n_parts is None else {"n_parts": n_parts}
    return lambda engine: COMPARISONS[bundle.description.input.contract](bundle, module, engine, **options)
