"""Bundle table: what lies in a bundle or a model file, on a terminal."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.description import EstimateRecord
from weld_pipeline.runtime.styles import banner_lines


def bundle_table(bundle: Bundle) -> RenderableType:
    """Return what a bundle is and where it came from, below its banners."""
    description, provenance = bundle.description, bundle.description.provenance
    weights = provenance.weights
    rows = {
        "family": description.family,
        "bundle": bundle.sha256,
        "classes": ", ".join(description.classes),
        "good class": description.good_class,
        "input": description.input.describe(),
        "policy": description.decision.policy.describe(),
        "code": f"{provenance.code_commit or 'no checkout'}{', changed' if provenance.code_is_dirty else ''}",
        "data": provenance.data_sha256,
        "weights": f"{weights.name} from {weights.source} ({weights.licence})",
        "MLflow run": provenance.mlflow_run_id or "not recorded",
        "parity": "passed" if description.parity else "not checked",
    }
    rows |= {f"file {name}": digest for name, digest in description.files.items()}
    rows |= {name.replace("_", " "): _estimate(value) for name, value in description.metrics.items()}
    return Group(*banner_lines(description.banners), _two_columns(rows))


def checkpoint_table(description: Mapping[str, Any]) -> RenderableType:
    """Return family, architecture, training, provenance and tensors of a model file."""
    rows = {"family": description["family"], "parameters": f"{description['n_parameters']:,}"}
    for part in ("architecture", "training", "provenance"):
        rows |= {f"{part} {name}": _plain(value) for name, value in description[part].items()}
    tensors = description["tensors"].items()
    rows |= {name: f"{tensor['dtype']} {' × '.join(map(str, tensor['shape'])) or 'scalar'}" for name, tensor in tensors}
    return _two_columns(rows)


def _estimate(estimate: EstimateRecord) -> str:
    if estimate.value is None:
        return f"undefined (n {estimate.n})"
    has_interval = estimate.low is not None and estimate.high is not None
    interval = f"{estimate.low:.3f} to {estimate.high:.3f}" if has_interval else "one session, no interval"
    mark = ", too small to rely on" if estimate.is_small else ""
    return f"{estimate.value:.3f} ({interval}, n {estimate.n} of {estimate.n_sessions} sessions{mark})"


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _two_columns(rows: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return table
