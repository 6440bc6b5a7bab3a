"""What a bundle says about itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from weld_pipeline.core.provenance import code_revision, library_versions
from weld_pipeline.core.tables import data_hash
from weld_pipeline.runtime.bundle import BUNDLE_FORMAT


def describe_bundle(
    *,
    family: str,
    classes: Sequence[str],
    good_class: str,
    windows: Mapping[str, Any],
    latent_size: int,
    threshold: float,
    calibration: Mapping[str, float],
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
        windows: `window`, `stride` and `gate` that the model was trained with.
        latent_size: Length of the graph's state.
        threshold: `p_defect` from which the verdict is fail.
        calibration: Temperature and Platt's numbers, for the reader; the graph has them inside.
        manifest: The data the model was made from.
        weights: Record of the trunk's weights.
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
        "input": {**windows, "channels": "RGB"},
        "latent_size": latent_size,
        "threshold": threshold,
        "calibration": dict(calibration),
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
