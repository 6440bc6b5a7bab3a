"""The page for the predictions of one of our own families: with images, curves and provenance."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from weld_pipeline.core.provenance import CodeRevision
from weld_pipeline.decision.policy import Policy
from weld_pipeline.evaluation.evaluation import Evaluation
from weld_pipeline.report.figures import curves_figure, score_figure
from weld_pipeline.report.page import Mistake, Report, render


def family_report(
    evaluation: Evaluation,
    *,
    family: str,
    split: str,
    rows: pd.DataFrame,
    mistakes: pd.DataFrame,
    sheet: UInt8[np.ndarray, "H W 3"],
    banners: Sequence[str],
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    policy: Policy,
    revision: CodeRevision,
    data_sha256: str,
    weights: Mapping[str, Any] | None,
    mlflow_run_id: str | None,
    libraries: Mapping[str, str],
) -> str:
    """Return the page for the predictions of one of our families.

    Args:
        split: Which rows were judged.
        mistakes: As `rows.worst_mistakes` gives them.
        sheet: One strip of frames a mistake, from top to bottom, all of one height.
        curves: Loss curves: per model, per metric, a value an epoch.
        policy: Rule of the verdict; its threshold is drawn in.
        data_sha256: Hash of the manifest's usable rows.
        weights: Record of the weights the network began with: name, source, licence.
    """
    figures = {
        title: _score_plot(rows, column, policy.threshold if policy.kind == column else None)
        for title, column in (("How the score spreads", "score"), ("How p_defect spreads", "p_defect"))
        if column in rows
    }
    if curves:
        figures["How the loss fell"] = curves_figure(curves)
    dirt = {True: " with uncommitted changes", False: "", None: ""}[revision.is_dirty]
    return render(
        Report(
            title=f"Evaluation of {family.replace('_', ' ')}",
            subject=f"{split} split",
            evaluation=evaluation,
            session_rule="as in the manifest",
            banners=banners,
            figures=figures,
            mistakes=_with_images(mistakes, sheet),
            provenance={
                "Code": f"{revision.commit or 'no checkout'}{dirt} (weld-pipeline {revision.version})",
                "Data": f"sha256 {data_sha256}",
                "Weights": "{name} from {source}; {licence}".format(**weights) if weights else "not told",
                "MLflow run": mlflow_run_id or "not recorded",
                "Libraries": ", ".join(f"{name} {version}" for name, version in libraries.items()),
            },
        )
    )


def _score_plot(rows: pd.DataFrame, column: str, threshold: float | None) -> Figure:
    return score_figure(
        rows[column].to_numpy(float), rows["is_defect"].to_numpy(bool), name=column, threshold=threshold
    )


def _with_images(mistakes: pd.DataFrame, sheet: UInt8[np.ndarray, "H W 3"]) -> list[Mistake]:
    strips = np.split(sheet, len(mistakes)) if len(mistakes) else []
    return [
        Mistake(
            sample_id=row["sample_id"],
            label=row["label"],
            predicted=row["predicted"],
            detail=row["kind"] + ("" if np.isnan(row["sureness"]) else f", {100 * row['sureness']:.0f} % sure"),
            image=_jpeg(strip),
        )
        for row, strip in zip(mistakes.to_dict("records"), strips, strict=True)
    ]


def _jpeg(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()
