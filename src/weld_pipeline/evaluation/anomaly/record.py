"""Record of an anomaly detector: everything measured on one set of images, as JSON values."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from weld_pipeline.evaluation.anomaly.image_metrics import image_metrics
from weld_pipeline.evaluation.anomaly.pixel_metrics import NUMBERS, PixelMetrics
from weld_pipeline.evaluation.estimates import VERDICT_RATES, Estimate, Protocol, Sessions, score_verdicts
from weld_pipeline.evaluation.metrics import pass_fail
from weld_pipeline.evaluation.summary import metric_name


def anomaly_record(
    rows: pd.DataFrame,
    *,
    category: str,
    detector: str,
    policy: Mapping[str, Any],
    fails: Bool[np.ndarray, " N"],
    pixels: PixelMetrics,
    protocol: Protocol,
    latency_ms: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the record of a detector on the test images.

    Args:
        rows: Rows of the test split: `session`, `label`, `is_defect` and `score`.
        category: What the images show, e.g. the part.
        policy: Record of the shipped policy, with its `threshold`, `chosen_by` and `false_reject_rate`.
        latency_ms: Quantiles `p50`, `p90`, … of the time of one image, file to score [ms].

    Returns:
        Numbers by name, None where undefined: `image_auroc`, `image_ap`, `image_f1_max`, `image_fpr_at_95_tpr`,
        `pixel_auroc`, `aupro`, …; `intervals` of those that have one; `per_kind`; `shipped`; counts and `notes`.

    Raises:
        WeldError: If there is no row, or a score is not finite.
    """
    is_defect, scores = rows["is_defect"].to_numpy(bool), rows["score"].to_numpy(float)
    sessions = Sessions.of(rows["session"].tolist(), protocol)
    image = image_metrics(scores, is_defect, rows["label"].tolist(), sessions=sessions)
    return {
        "category": category,
        "detector": detector,
        "n": len(rows),
        "n_good": int((~is_defect).sum()),
        "n_defect": int(is_defect.sum()),
        "n_sessions": len(sessions.names),
        **{name: estimate.value for name, estimate in image.estimates.items()},
        "image_f1_max_threshold": image.f1_max_threshold,
        **{name: getattr(pixels, name) for name in NUMBERS},
        "intervals": {name: estimate.interval for name, estimate in image.estimates.items()},
        "level": protocol.level,
        "per_kind": {kind: _auroc_of(estimate) for kind, estimate in image.auroc_per_kind.items()},
        "pixels": {name: value for name, value in asdict(pixels).items() if name not in NUMBERS},
        "policy": dict(policy),
        "shipped": _verdicts(is_defect, fails, sessions),
        "latency_ms": dict(latency_ms) if latency_ms else None,
        "n_too_small": [name for name, estimate in image.estimates.items() if estimate.is_small],
        "notes": image.notes + _pixel_notes(pixels),
    }


def tile_metrics(tiles: pd.DataFrame, protocol: Protocol) -> dict[str, Any]:
    """Return the AUROC over the tiles of long images, since few images make image-level numbers unreliable.

    Args:
        tiles: Tiles of the test split: `session`, `is_defect` and `score`.
    """
    is_defect = tiles["is_defect"].to_numpy(bool)
    sessions = Sessions.of(tiles["session"].tolist(), protocol)
    found = sessions.auroc(tiles["score"].to_numpy(float), is_defect, np.ones(len(tiles), dtype=bool))
    counts = {"n_tiles": len(tiles), "n_defect_tiles": int(is_defect.sum())}
    return {"tile_auroc": found.value, "tile_auroc_interval": found.interval, **counts}


def flat_anomaly_metrics(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a record to compare between runs, in a flat dict without undefined ones."""
    numbers = {name: value for name, value in record.items() if isinstance(value, int | float)}
    if record["aupro"] is not None:
        numbers["aupro.max_fpr"] = record["pixels"]["max_fpr"]
    numbers |= {f"policy.{name}": record["policy"][name] for name in ("threshold", "false_reject_rate")}
    numbers |= {f"shipped.{name}": record["shipped"][name] for name in (*VERDICT_RATES, "f1")}
    numbers |= {f"image_auroc.{metric_name(kind)}": found["image_auroc"] for kind, found in record["per_kind"].items()}
    numbers |= {f"latency_ms.{name}": value for name, value in (record["latency_ms"] or {}).items()}
    for name, ends in record["intervals"].items():
        if ends:
            numbers |= {f"{name}.low": ends[0], f"{name}.high": ends[1]}
    return {name: float(value) for name, value in numbers.items() if value is not None}


def _auroc_of(estimate: Estimate) -> dict[str, Any]:
    return {
        "image_auroc": estimate.value,
        "interval": estimate.interval,
        "n": estimate.n,
        "n_sessions": estimate.n_sessions,
        "is_small": estimate.is_small,
    }


def _verdicts(is_defect: Bool[np.ndarray, " N"], fails: Bool[np.ndarray, " N"], sessions: Sessions) -> dict[str, Any]:
    """Return counts and rates of the shipped verdict."""
    scored = score_verdicts(is_defect, fails, sessions=sessions)
    return {
        **pass_fail(scored.confusion, scored.is_good),
        **{name: scored.rates[name].value for name in VERDICT_RATES},
        "f1": scored.per_class["defect"]["f1"].value,
        "intervals": {name: scored.rates[name].interval for name in VERDICT_RATES},
    }


def _pixel_notes(pixels: PixelMetrics) -> list[str]:
    if pixels.reason:
        return [f"Maps: {pixels.reason}."]
    if left_out := pixels.n_without_mask + pixels.n_empty_mask:
        what = f"{pixels.n_without_mask} without a mask and {pixels.n_empty_mask} whose mask is empty"
        return [f"Maps: {left_out} defective images are left out, {what}."]
    return []
