"""Evaluation rows, from the two tables that every family shares."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.labels import ANOMALOUS


def evaluation_rows(
    predictions: pd.DataFrame, manifest: pd.DataFrame, *, split: str, anomaly_scores: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the predictions of one split, in their order, with `mean_luma` and perhaps `anomaly`.

    Args:
        anomaly_scores: Columns `sample_id` and `anomaly`, where a second score is judged on the same rows.

    Raises:
        WeldError: If the split has no row, or a row has no anomaly score.
    """
    rows = predictions[predictions["split"] == split]
    if rows.empty:
        there = sorted(set(predictions["split"]))
        raise WeldError(
            f"predictions hold no row of split {split!r}, only {there}; mend evaluation.split or the splits"
        )
    brightness = manifest.set_index("sample_id")["mean_luma"].astype(float)
    rows = rows.assign(mean_luma=rows["sample_id"].map(brightness)).reset_index(drop=True)
    if anomaly_scores is None:
        return rows
    rows["anomaly"] = rows["sample_id"].map(anomaly_scores.set_index("sample_id")["anomaly"])
    if len(missing := rows.loc[rows["anomaly"].isna(), "sample_id"]):
        raise WeldError(
            f"anomaly scores lack {len(missing)} of {len(rows)} rows, e.g. {missing.iloc[0]}; score them all"
        )
    return rows


def train_rows(manifest: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return label and confounds of the usable train rows.

    Args:
        predictions: Predictions of a family; a detector knows every defect as `anomalous`.
    """
    is_used = (manifest["status"] == "ok") & (manifest["split"] == "train")
    rows = manifest.loc[is_used, ["label", "session", "config", "mean_luma"]].reset_index(drop=True)
    if ANOMALOUS in set(predictions["label"]) | set(predictions["predicted"]):
        rows["label"] = rows["label"].where(rows["label"].isin(good_classes(predictions)), ANOMALOUS)
    return rows


def classes_of(predictions: pd.DataFrame) -> list[str] | None:
    """Return the model's classes, in its order, from the columns `p_<class>`; None if there are none."""
    classes = [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_") and name != "p_defect"]
    return classes or None


def good_classes(predictions: pd.DataFrame) -> list[str]:
    """Return the labels that are no defects; of a detector, every true or predicted label but `anomalous`.

    Raises:
        WeldError: If a label is a defect in some rows only.
    """
    kinds = predictions.groupby("label")["is_defect"].nunique()
    if len(mixed := kinds[kinds > 1]):
        raise WeldError(f"label {mixed.index[0]!r} is a defect in some rows and none in others; mend the manifest")
    names = set(predictions["label"]) | set(predictions["predicted"])
    if ANOMALOUS in names:  # a detector's rows may hold no good image
        return sorted(names - {ANOMALOUS})
    return sorted(set(predictions.loc[~predictions["is_defect"], "label"]))


def worst_mistakes(rows: pd.DataFrame, *, good: Collection[str], n: int) -> pd.DataFrame:
    """Return up to `n` wrong predictions: escaped defects, then rejected good welds, then mixed-up defects.

    Within each kind the most confident comes first; ties are in the order of their id.

    Returns:
        `sample_id`, `session`, `label`, `predicted`, `kind`, `sureness` (probability of the predicted class, NaN
        if unknown).
    """
    wrong = rows[rows["label"] != rows["predicted"]]
    kind = np.select(
        [wrong["is_defect"] & wrong["predicted"].isin(list(good)), ~wrong["is_defect"]],
        ["escaped", "rejected"],
        default="mixed up",
    )
    sureness = np.array([row.get(f"p_{row['predicted']}", np.nan) for row in wrong.to_dict("records")], dtype=float)
    table = wrong[["sample_id", "session", "label", "predicted"]].assign(kind=kind, sureness=sureness)
    rank = table["kind"].map({"escaped": 0, "rejected": 1, "mixed up": 2})
    order = table.assign(rank=rank, doubt=-table["sureness"]).sort_values(["rank", "doubt", "sample_id"])
    return table.loc[order.index].head(n).reset_index(drop=True)


def listed(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions as a list to read: sample, true label, predicted label, whether they agree."""
    columns = ["sample_id", "session", "config", "split", "label", "predicted", "score"]
    table = predictions[columns + [name for name in ("p_defect",) if name in predictions]].copy()
    table.insert(columns.index("predicted") + 1, "is_correct", table["label"] == table["predicted"])
    return table.sort_values("sample_id").reset_index(drop=True)
