"""Probing of many recordings or images: the pending work, and the stored probes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from weld_pipeline.core.files import content_key, inside
from weld_pipeline.core.items.pending import Execution, Item, PendingItems
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.media.image_probe import IMAGE_PROBE_VERSION, probe_image
from weld_pipeline.media.masks import MaskError, mask_files, read_mask
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
        paths: Path of each sample, relative to the root.
    """
    settings: dict[str, Any] = {
        "window": window,
        "stride": stride,
        "min_decoded_fraction": min_decoded_fraction,
        "thumbnail_px": thumbnail_px,
    }
    return PendingItems(
        worker_factory=partial(_worker, root, gate, settings),
        items=_items(root, paths, version=PROBE_VERSION, settings=[asdict(gate), settings]),
        label="probing recordings",
        execution=Execution(n_workers=n_workers),
    )


def pending_image_probes(
    root: Path,
    paths: Mapping[str, str],
    *,
    masks: Mapping[str, str],
    max_pixels: int,
    sample_bits: int | None = None,
    thumbnail_px: int,
    n_workers: int,
) -> PendingItems[Any, dict[str, Any]]:
    """Return the probing of each image and its mask as work to be done; what is unchanged in size and time is kept.

    Args:
        paths: Path of each sample, relative to the root.
        masks: Path of the mask of each sample that has one, relative to the root.
        sample_bits: See `media.images.read_image`.
    """
    settings = {"max_pixels": max_pixels, "thumbnail_px": thumbnail_px, "sample_bits": sample_bits}
    return PendingItems(
        worker_factory=partial(_image_worker, root, settings),
        items=[
            _with_mask(item, root, masks.get(item.id))
            for item in _items(root, paths, version=IMAGE_PROBE_VERSION, settings=[settings])
        ],
        label="probing images",
        execution=Execution(n_workers=n_workers),
    )


def _items(root: Path, paths: Mapping[str, str], *, version: int, settings: Sequence[Any]) -> list[Item[str]]:
    items = []
    for sample_id, path in paths.items():
        status = inside(root, path).stat()
        items.append(Item(sample_id, content_key(version, path, status.st_size, status.st_mtime_ns, *settings), path))
    return items


def _with_mask(item: Item[str], root: Path, mask: str | None) -> Item[tuple[str, str | None]]:
    """Return the item with the mask in its payload and, if there is one, in its key."""
    if mask is None:
        return Item(item.id, item.key, (item.payload, None))
    stats = [file.stat() for file in mask_files(inside(root, mask))]
    parts = [part for status in stats for part in (status.st_size, status.st_mtime_ns)]
    return Item(item.id, content_key(item.key, mask, *parts), (item.payload, mask))


def _worker(root: Path, gate: ArcGate, settings: Mapping[str, Any]) -> Callable[[str], dict[str, Any]]:
    return partial(_probe, root, gate, settings)


def _probe(root: Path, gate: ArcGate, settings: Mapping[str, Any], path: str) -> dict[str, Any]:
    return asdict(probe_video(inside(root, path), gate=gate, **settings))


def _image_worker(root: Path, settings: Mapping[str, Any]) -> Callable[[tuple[str, str | None]], dict[str, Any]]:
    return partial(_probe_image, root, settings)


def _probe_image(root: Path, settings: Mapping[str, Any], paths: tuple[str, str | None]) -> dict[str, Any]:
    image, mask = paths
    probe = probe_image(inside(root, image), **settings)
    return asdict(probe if mask is None else _probed_mask(probe, inside(root, mask)))


def _probed_mask(probe: Probe, mask: Path) -> Probe:
    """Return the probe of an image with what its mask marks, or with what is wrong with the mask."""
    if probe.width is None or probe.height is None:  # the image cannot be used itself
        return probe
    try:
        marks = read_mask(mask, height=probe.height, width=probe.width)
    except MaskError as error:
        return replace(probe, problem=f"{error.code}: {error.what}")
    return replace(probe, mask_px=int(marks.sum()))


def read_probes(stored: Mapping[str, dict[str, Any]]) -> dict[str, Probe]:
    """Return all probes by sample id, without their thumbnails, which would fill the memory."""
    return {sample_id: replace(Probe(**value), thumbnail=None) for sample_id, value in stored.items()}
