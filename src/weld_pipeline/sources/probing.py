"""Probing of many recordings: what work there is, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from weld_pipeline.core.files import content_key, inside
from weld_pipeline.core.items import Execution, Item, PendingItems
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.media.probe import PROBE_VERSION, Probe, probe_video


def pending_probes(
    root: Path,
    paths: Mapping[str, str],
    *,
    gate: ArcGate,
    window: int,
    stride: int,
    min_decoded_fraction: float,
    thumbnail_px: int,
    n_workers: int,
) -> PendingItems[str, dict[str, Any]]:
    """Return the probing of each file as work to be done; a file unchanged in size and time is not decoded again.

    Args:
        root: The footage folder.
        paths: File of each sample, relative to the root.
        gate: The arc rule.
        window: Clip length in frames.
        stride: Distance between clip starts in frames.
        min_decoded_fraction: See `probe_video`.
        thumbnail_px: See `probe_video`.
        n_workers: Processes.
    """
    settings: dict[str, Any] = {
        "window": window,
        "stride": stride,
        "min_decoded_fraction": min_decoded_fraction,
        "thumbnail_px": thumbnail_px,
    }
    items = []
    for sample_id, path in paths.items():
        status = inside(root, path).stat()
        key = content_key(PROBE_VERSION, path, status.st_size, status.st_mtime_ns, asdict(gate), settings)
        items.append(Item(sample_id, key, path))
    return PendingItems(
        worker_factory=partial(_worker, root, gate, settings),
        items=items,
        label="probing recordings",
        execution=Execution(n_workers=n_workers),
    )


def _worker(root: Path, gate: ArcGate, settings: Mapping[str, Any]) -> Callable[[str], dict[str, Any]]:
    return partial(_probe, root, gate, settings)


def _probe(root: Path, gate: ArcGate, settings: Mapping[str, Any], path: str) -> dict[str, Any]:
    return asdict(probe_video(inside(root, path), gate=gate, **settings))


def read_probes(stored: Mapping[str, dict[str, Any]]) -> dict[str, Probe]:
    """Return all probes by sample id, without their thumbnails, which would fill the memory."""
    return {sample_id: replace(Probe(**value), thumbnail=None) for sample_id, value in stored.items()}
