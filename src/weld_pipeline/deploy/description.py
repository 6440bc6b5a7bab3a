"""What a bundle says about itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from weld_pipeline.core.provenance import code_revision, library_versions
from weld_pipeline.core.tables import data_hash
from weld_pipeline.report.banners import calibration_banner
from weld_pipeline.runtime.bundle import BUNDLE_FORMAT


def video_contract(windows: Mapping[str, Any], *, latent_size: int) -> dict[str, Any]:
    """Return what the graph of a video family is fed.

    Args:
        windows: `window`, `stride` and `gate` that the model was trained with.
        latent_size: Length of the graph's state.
    """
    return {"contract": "clips", "media": "video", "channels": "RGB", "latent_size": latent_size, **windows}


def image_contract(architecture: Mapping[str, Any], *, views: str) -> dict[str, Any]:
    """Return what the graph of an image family is fed.

    Args:
        architecture: Of the classifier's preprocessing: `resized_px`, `crop_px` and `grey`.
        views: What calibration and predictions were made from.
    """
    sizes = {name: architecture[name] for name in ("resized_px", "crop_px", "grey")}
    return {"contract": "views", "media": "image", "channels": "RGB", "views": views, **sizes}


def anomaly_contract(architecture: Mapping[str, Any], *, tiling: Mapping[str, int] | None) -> dict[str, Any]:
    """Return what the graph of an anomaly detector is fed.

    Args:
        architecture: Of the detector's preprocessing: `image_px`, `grey`, `clahe_clip` and `smoothing`.
        tiling: `tile_px` and `overlap_px` that images are cut by before the graph; None for whole ones.
    """
    told = {name: architecture[name] for name in ("image_px", "grey", "clahe_clip", "smoothing")}
    cut = None if tiling is None else {name: tiling[name] for name in ("tile_px", "overlap_px")}
    return {"contract": "anomaly_map", "media": "image", "channels": "RGB", **told, "tiling": cut}


def describe_bundle(
    *,
    family: str,
    classes: Sequence[str],
    good_class: str,
    contract: Mapping[str, Any],
    calibration: Mapping[str, Any],
    manifest: pd.DataFrame,
    weights: Mapping[str, Any],
    mlflow_run_id: str | None,
    metrics: Mapping[str, Any],
    banners: Sequence[str],
) -> dict[str, Any]:
    """Return `bundle.json` but for parity, file hashes and seal; code revision and library versions are those at work.

    Args:
        family: Model family.
        classes: In the order of the graph's outputs.
        good_class: The acceptable one.
        contract: From `video_contract`, `image_contract` or `anomaly_contract`.
        calibration: `threshold`, the `p_defect` from which the verdict is fail, beside temperature and Platt's numbers
            for the reader, since the graph has them inside; empty where there was no calib split. Of a detector the
            fields of `runtime.contracts.AnomalyCalibration` beside `threshold`, which is None without Platt.
        manifest: The data the model was made from.
        weights: Record of the trunk's weights.
        mlflow_run_id: The run that made it, if recorded.
        metrics: From `evaluation_metrics`.
        banners: What must be said beside every number; where nothing was calibrated, it is said here in any case.
    """
    revision = code_revision()
    return {
        "format": BUNDLE_FORMAT,
        "family": family,
        "classes": list(classes),
        "good_class": good_class,
        "input": dict(contract),
        "threshold": calibration["threshold"] if calibration else None,
        "calibration": dict(calibration) or None,
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
        "banners": [*banners, *(each for each in calibration_banner(calibration) if each not in banners)],
        "parity": None,
    }


def evaluation_metrics(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rates of an evaluation record with interval and n, and beside each baseline's accuracy.

    Args:
        evaluation: From `decision.summary.to_record`.
    """
    rates = {name: dict(estimate) for name, estimate in evaluation["rates"].items()}
    baselines = {
        f"baseline_{each['name']}_from_{each['fit_on']}": dict(each["rates"]["accuracy"])
        for each in evaluation["baselines"]
    }
    return rates | baselines
