"""Everything measured of one anomaly detector on one set of images, as one record of JSON values."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from weld_pipeline.evaluation.anomaly.image_metrics import image_metrics
from weld_pipeline.evaluation.anomaly.pixel_metrics import NUMBERS, PixelMetrics
from weld_pipeline.evaluation.estimates import Estimate, Protocol, Sessions, score_labels
from weld_pipeline.evaluation.metrics import pass_fail
from weld_pipeline.evaluation.summary import metric_name

_VERDICT_RATES = ("defect_recall", "good_specificity", "escape_rate", "false_reject_rate")


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
    """Return what a detector is worth on the test images.

    Args:
        rows: Of the test split: `session`, `label`, `is_defect` and `score`.
        category: What was looked at, e.g. the part.
        detector: Which detector did.
        policy: Record of the policy that is shipped, with its `threshold`, `chosen_by` and `false_reject_rate`.
        fails: Verdict on each row by that policy.
        pixels: What its maps are worth on the same images.
        protocol: How it is judged.
        latency_ms: `p50`, `p90`, … of one image, file to score [ms].

    Returns:
        Numbers by plain name, None where undefined: `image_auroc`, `image_ap`, `image_f1_max`, `image_fpr_at_95_tpr`,
        `pixel_auroc`, `aupro`, …; `intervals` of those that bear one; `per_kind`; `shipped`; counts and `notes`.

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
        "intervals": {name: interval(estimate) for name, estimate in image.estimates.items()},
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
    """Return the AUROC over the tiles of long images, on which image-level numbers may rest on very little.

    Args:
        tiles: Of the test split: `session`, `is_defect` and `score`.
        protocol: How it is judged.
    """
    is_defect = tiles["is_defect"].to_numpy(bool)
    sessions = Sessions.of(tiles["session"].tolist(), protocol)
    found = sessions.auroc(tiles["score"].to_numpy(float), is_defect, np.ones(len(tiles), dtype=bool))
    counts = {"n_tiles": len(tiles), "n_defect_tiles": int(is_defect.sum())}
    return {"tile_auroc": found.value, "tile_auroc_interval": interval(found), **counts}


def flat_anomaly_metrics(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a record worth comparing between runs, one level deep; undefined ones are left out."""
    numbers = {name: value for name, value in record.items() if isinstance(value, int | float)}
    numbers |= {f"policy.{name}": record["policy"][name] for name in ("threshold", "false_reject_rate")}
    numbers |= {f"shipped.{name}": record["shipped"][name] for name in (*_VERDICT_RATES, "f1")}
    numbers |= {f"image_auroc.{metric_name(kind)}": found["image_auroc"] for kind, found in record["per_kind"].items()}
    numbers |= {f"latency_ms.{name}": value for name, value in (record["latency_ms"] or {}).items()}
    for name, ends in record["intervals"].items():
        if ends:
            numbers |= {f"{name}.low": ends[0], f"{name}.high": ends[1]}
    return {name: float(value) for name, value in numbers.items() if value is not None}


def interval(estimate: Estimate) -> list[float] | None:
    """Return both ends of an estimate's interval, or None where it has none."""
    return None if estimate.low is None or estimate.high is None else [estimate.low, estimate.high]


def _auroc_of(estimate: Estimate) -> dict[str, Any]:
    return {
        "image_auroc": estimate.value,
        "interval": interval(estimate),
        "n": estimate.n,
        "n_sessions": estimate.n_sessions,
        "is_small": estimate.is_small,
    }


def _verdicts(is_defect: Bool[np.ndarray, " N"], fails: Bool[np.ndarray, " N"], sessions: Sessions) -> dict[str, Any]:
    """Return counts and rates of the verdict that is shipped."""
    names = ["good", "defect"]
    scored = score_labels(
        [names[int(each)] for each in is_defect],
        [names[int(each)] for each in fails],
        sessions=sessions,
        good=names[:1],
        classes=names,
    )
    counts = pass_fail(scored.confusion, scored.is_good)
    return {
        **counts,
        **{name: scored.rates[name].value for name in _VERDICT_RATES},
        "f1": scored.per_class["defect"]["f1"].value,
        "intervals": {name: interval(scored.rates[name]) for name in _VERDICT_RATES},
    }


def _pixel_notes(pixels: PixelMetrics) -> list[str]:
    if pixels.reason:
        return [f"Maps: {pixels.reason}."]
    if left_out := pixels.n_without_mask + pixels.n_empty_mask:
        what = f"{pixels.n_without_mask} without a mask and {pixels.n_empty_mask} whose mask is empty"
        return [f"Maps: {left_out} defective images are left out, {what}."]
    return []
