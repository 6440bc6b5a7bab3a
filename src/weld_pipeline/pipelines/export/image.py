"""Nodes of `export` for image classifiers."""

from typing import Any

import pandas as pd

from weld_pipeline import deploy, nn
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import ExportedGraph
from weld_pipeline.engines.session import Engine
from weld_pipeline.pipelines.export.params import ImageParityParams
from weld_pipeline.runtime.bundle import Bundle


def assemble_graph(classifier: SavedModel, decision: Decision) -> Any:
    """Return the trained classifier as one torch module, from images to probabilities and score."""
    learned = classifier.provenance
    return nn.image.graph.ImageGraph(
        classifier=nn.image.classifier.restore_image_classifier(classifier),
        good_index=learned["classes"].index(learned["good_class"]),
        temperature=decision.temperature,
    )


def export_graph(module: Any, classifier: SavedModel) -> ExportedGraph:
    """Return the ONNX graph and what is to be known of it."""
    learned = classifier.provenance
    return ExportedGraph(
        onnx=deploy.onnx_export.export_image_graph(module),
        classes=learned["classes"],
        good_class=learned["good_class"],
        contract=deploy.description.image_contract(module.classifier.preprocess.architecture, views=learned["views"]),
        weights=learned["weights"],
    )


def check_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw: SourceTree,
    predictions: pd.DataFrame,
    params: ImageParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on image files."""

    def comparison(engine: Engine) -> deploy.parity.gate.Compare:
        return deploy.parity.image.comparison(candidate, module, engine)

    return deploy.parity.gate.check_parity(
        comparison,
        deploy.samples.chosen_files(manifest, raw.root, splits=params.splits, n_samples=params.n_samples),
        {row["sample_id"]: row for row in predictions.to_dict("records")},
        engines=params.engines,
        tolerances=params.tolerances.model_dump(),
        key="export.image",
    )
