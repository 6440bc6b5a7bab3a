"""Nodes of `export` for videos."""

from typing import Any

from weld_pipeline import deploy, nn
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import ExportedGraph


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
