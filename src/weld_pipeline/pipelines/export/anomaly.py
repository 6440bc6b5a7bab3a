"""Nodes of `export` for anomaly detectors."""

from typing import Any

from weld_pipeline import deploy, nn
from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.deploy.bundle import ExportedGraph
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.pipelines.params import TilingParams


def assemble_graph(detector: SavedModel, *, self_contained: bool) -> Any:
    """Return the fitted detector as one torch module, from squares, or images of any size, to scores and maps."""
    preprocess = nn.anomaly.preprocess.MapPreprocess(**detector.provenance["preprocess"])
    network = nn.anomaly.detectors.restore_detector(detector)
    return nn.anomaly.graph.AnomalyGraph(preprocess, network, resizes=self_contained)


def export_graph(module: Any, detector: SavedModel, map_range: MapRange, tiling: TilingParams | None) -> ExportedGraph:
    """Return the ONNX graph and what is to be known of it."""
    learned = detector.provenance
    return ExportedGraph(
        onnx=deploy.onnx_export.export_anomaly_graph(module),
        classes=[learned["good_class"], ANOMALOUS],
        good_class=learned["good_class"],
        contract=deploy.description.anomaly_contract(
            learned["preprocess"],
            tiling=None if tiling is None else tiling.model_dump(),
            map_range=map_range,
            resizes=module.resizes,
        ),
        weights=learned["weights"],
    )
