"""Nodes of `export` that every family shares."""

from typing import Any

import pandas as pd

from weld_pipeline import deploy
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import BundleContents, ExportedGraph
from weld_pipeline.pipelines.export.params import ParityParams
from weld_pipeline.runtime.bundle import Bundle


def describe_candidate(
    *,
    graph: ExportedGraph,
    family_name: str,
    decision: Decision,
    manifest: pd.DataFrame,
    evaluation: dict[str, Any],
    banners: list[str],
    mlflow_run_id: str | None,
) -> BundleContents:
    """Return the bundle before the parity gate: graph, description, card."""
    return deploy.bundle.candidate(
        graph,
        family=family_name,
        decision=decision,
        manifest=manifest,
        mlflow_run_id=mlflow_run_id,
        evaluation=evaluation,
        banners=banners,
    )


def check_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw: SourceTree,
    predictions: pd.DataFrame,
    params: ParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on files and every engine."""
    comparison = deploy.parity.families.comparison_of(candidate, module, n_parts=params.n_parts)
    return deploy.parity.gate.check_parity(
        comparison,
        deploy.samples.chosen_files(manifest, raw.root, splits=params.splits, n_samples=params.n_samples),
        {row["sample_id"]: row for row in predictions.to_dict("records")},
        engines=params.engines,
        tolerances=params.tolerances,
    )


def release_bundle(candidate: Bundle, parity: dict[str, Any]) -> BundleContents:
    """Return the candidate as a release, with the parity it was given on record."""
    return deploy.bundle.released(candidate, parity)
