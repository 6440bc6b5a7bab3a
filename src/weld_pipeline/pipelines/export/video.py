"""Nodes of `export` for videos."""

from typing import Any

import pandas as pd

from weld_pipeline import deploy, nn
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import ExportedGraph
from weld_pipeline.engines.session import Engine
from weld_pipeline.pipelines.export.params import VideoParityParams
from weld_pipeline.runtime.bundle import Bundle


def assemble_graph(
    *,
    trunk: SavedModel,
    standardizer: SavedModel,
    autoencoder: SavedModel,
    good_autoencoder: SavedModel,
    classifier: SavedModel,
    decision: Decision,
) -> Any:
    """Return the trained parts as one torch module, from frames to probabilities and score."""
    return nn.video.graph.assemble(
        trunk=trunk,
        standardizer=standardizer,
        autoencoder=autoencoder,
        good_autoencoder=good_autoencoder,
        classifier=classifier,
        temperature=decision.temperature,
    )


def export_graph(module: Any, trunk: SavedModel, classifier: SavedModel) -> ExportedGraph:
    """Return the ONNX graph and what is to be known of it."""
    learned = classifier.provenance
    return ExportedGraph(
        onnx=deploy.onnx_export.export_video_graph(
            module, window=learned["input"]["window"], latent_size=module.latent_size
        ),
        classes=learned["classes"],
        good_class=learned["good_class"],
        contract=deploy.description.video_contract(learned["input"], latent_size=module.latent_size),
        weights=trunk.provenance["weights"],
    )


def check_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw: SourceTree,
    predictions: pd.DataFrame,
    params: VideoParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on files of footage."""

    def comparison(engine: Engine) -> deploy.parity.gate.Compare:
        return deploy.parity.video.comparison(candidate, module, engine, n_clips=params.n_clips)

    return deploy.parity.gate.check_parity(
        comparison,
        deploy.samples.chosen_files(manifest, raw.root, splits=params.splits, n_samples=params.n_samples),
        {row["sample_id"]: row for row in predictions.to_dict("records")},
        engines=params.engines,
        tolerances=params.tolerances.model_dump(),
        key="export.video",
    )
