"""Nodes of `export` for image classifiers."""

from typing import Any

from weld_pipeline import deploy, nn
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import ExportedGraph


def assemble_graph(classifier: SavedModel, decision: Decision, *, self_contained: bool) -> Any:
    """Return the trained classifier as one torch module, from squares, or images of any size, to probabilities and score."""
    learned = classifier.provenance
    if self_contained and learned["jpeg_px"] is not None:
        raise WeldError(
            "export.self_contained: the graph resizes images of their own size, but the classifier learnt from JPEGs decoded "
            "at a part of it; train with image.jpeg_scaling false, or export with self_contained false"
        )
    return nn.image.graph.ImageGraph(
        classifier=nn.image.classifier.restore_image_classifier(classifier),
        good_index=learned["classes"].index(learned["good_class"]),
        temperature=decision.temperature,
        resizes=self_contained,
    )


def export_graph(module: Any, classifier: SavedModel) -> ExportedGraph:
    """Return the ONNX graph and what is to be known of it."""
    learned = classifier.provenance
    return ExportedGraph(
        onnx=deploy.onnx_export.export_image_graph(module),
        classes=learned["classes"],
        good_class=learned["good_class"],
        contract=deploy.description.image_contract(
            module.classifier.preprocess.architecture,
            views=learned["views"],
            jpeg_px=learned["jpeg_px"],
            resizes=module.resizes,
        ),
        weights=learned["weights"],
    )
