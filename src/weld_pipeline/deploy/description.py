"""Description of a bundle: what it says about itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import __version__ as pillow_version

from weld_pipeline.core.provenance import code_revision, library_versions
from weld_pipeline.core.tables import data_hash, sample_bits
from weld_pipeline.decision.policy import Decision
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.media.resize import resize_digest
from weld_pipeline.runtime.bundle import BUNDLE_FORMAT


def video_contract(windows: Mapping[str, Any], *, latent_size: int) -> dict[str, Any]:
    """Return what the graph of a video family is fed.

    Args:
        windows: `window`, `stride` and `gate` that the model was trained with.
    """
    return {"contract": "clips", "media": "video", "channels": "RGB", "latent_size": latent_size, **windows}


def image_contract(
    architecture: Mapping[str, Any], *, views: str, jpeg_px: int | None, resizes: bool
) -> dict[str, Any]:
    """Return what the graph of an image family is fed.

    Args:
        architecture: Of the classifier's preprocessing: `resized_px`, `crop_px` and `grey`.
        views: What calibration and predictions were made from.
        jpeg_px: Size that JPEGs were decoded near; None for their own.
        resizes: Whether the graph resizes images itself.
    """
    sizes = {name: architecture[name] for name in ("resized_px", "crop_px", "grey")}
    return {"contract": "views", **_images(resizes=resizes), "views": views, "jpeg_px": jpeg_px, **sizes}


def anomaly_contract(
    architecture: Mapping[str, Any], *, tiling: Mapping[str, int] | None, map_range: MapRange, resizes: bool
) -> dict[str, Any]:
    """Return what the graph of an anomaly detector is fed.

    Args:
        architecture: Of the detector's preprocessing: `image_px`, `grey`, `clahe_clip` and `smoothing`.
        tiling: `tile_px` and `overlap_px` that images are cut by before the graph; None for whole ones.
        resizes: Whether the graph resizes images itself.
    """
    fields = {name: architecture[name] for name in ("image_px", "grey", "clahe_clip", "smoothing")}
    cut = None if tiling is None else {name: tiling[name] for name in ("tile_px", "overlap_px")}
    return {
        "contract": "anomaly_map",
        **_images(resizes=resizes),
        **fields,
        "map_range": map_range.model_dump(),
        "tiling": cut,
    }


def _images(*, resizes: bool) -> dict[str, Any]:
    by_pillow = {"library": "pillow", "version": pillow_version, "digest": resize_digest()}
    return {"media": "image", "channels": "RGB", "resize": None if resizes else by_pillow}


def describe_bundle(
    *,
    family: str,
    classes: Sequence[str],
    good_class: str,
    contract: Mapping[str, Any],
    decision: Decision,
    manifest: pd.DataFrame,
    weights: Mapping[str, Any],
    mlflow_run_id: str | None,
    metrics: Mapping[str, Any],
    banners: Sequence[str],
) -> dict[str, Any]:
    """Return `bundle.json` but for parity, file hashes and seal; code revision and library versions are those at work.

    Args:
        classes: In the order of the graph's outputs.
        contract: From `video_contract`, `image_contract` or `anomaly_contract`.
        mlflow_run_id: The run that made it, if recorded.
        metrics: From `evaluation_metrics`.
        banners: What must be said beside every number.
    """
    revision = code_revision()
    return {
        "format": BUNDLE_FORMAT,
        "family": family,
        "classes": list(classes),
        "good_class": good_class,
        "input": dict(contract) | _of_data(contract, manifest),
        "decision": decision.model_dump(mode="json"),
        "provenance": {
            "code_commit": revision.commit,
            "code_is_dirty": revision.is_dirty,
            "code_version": revision.version,
            "data_sha256": data_hash(manifest),
            "weights": dict(weights),
            "mlflow_run_id": mlflow_run_id,
            "library_versions": library_versions(),
        },
        "metrics": dict(metrics),
        "banners": list(banners),
        "parity": None,
    }


def _of_data(contract: Mapping[str, Any], manifest: pd.DataFrame) -> dict[str, Any]:
    """Return what the data add to a contract."""
    if contract["media"] == "image":
        return {"sample_bits": sample_bits(manifest)}
    return {"fps": _median_fps(manifest)}


def _median_fps(manifest: pd.DataFrame) -> float | None:
    """Return the median frame rate of the training recordings [1/s]."""
    rates = manifest.loc[manifest["split"] == "train", "fps"].dropna()
    return None if rates.empty else float(rates.median())


def evaluation_metrics(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rates of an evaluation record with interval and n, and beside each baseline's accuracy."""
    rates = {name: dict(estimate) for name, estimate in evaluation["rates"].items()}
    baselines = {
        f"baseline_{each['name']}_from_{each['fit_on']}": dict(each["rates"]["accuracy"])
        for each in evaluation["baselines"]
    }
    return rates | baselines
