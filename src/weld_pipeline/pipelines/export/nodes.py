"""Nodes of `export` that every family shares."""

from typing import Any

import pandas as pd

from weld_pipeline import deploy
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import BundleContents, ExportedGraph
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


def release_bundle(candidate: Bundle, parity: dict[str, Any]) -> BundleContents:
    """Return the candidate as a release, with the parity it was given on record."""
    return deploy.bundle.released(candidate, parity)
