"""Nodes of `export` for anomaly detectors."""

from typing import Any

import pandas as pd

from weld_pipeline import deploy, nn
from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.deploy.bundle import ExportedGraph
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.pipelines.export.params import AnomalyParityParams
from weld_pipeline.pipelines.params import TilingParams
from weld_pipeline.runtime.bundle import Bundle


def assemble_graph(detector: SavedModel) -> Any:
    """Return the fitted detector as one torch module, from images to scores and maps."""
    preprocess = nn.anomaly.preprocess.MapPreprocess(**detector.provenance["preprocess"])
    return nn.anomaly.graph.AnomalyGraph(preprocess, nn.anomaly.detectors.restore_detector(detector))


def export_graph(module: Any, detector: SavedModel, map_range: MapRange, tiling: TilingParams | None) -> ExportedGraph:
    """Return the ONNX graph and what is to be known of it."""
    learned = detector.provenance
    return ExportedGraph(
        onnx=deploy.onnx_export.export_anomaly_graph(module),
        classes=[learned["good_class"], ANOMALOUS],
        good_class=learned["good_class"],
        contract=deploy.description.anomaly_contract(
            learned["preprocess"], tiling=None if tiling is None else tiling.model_dump(), map_range=map_range
        ),
        weights=learned["weights"],
    )


def check_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw: SourceTree,
    predictions: pd.DataFrame,
    params: AnomalyParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on image files."""

    def comparison(engine: Engine) -> deploy.parity.gate.Compare:
        return deploy.parity.anomaly.comparison(candidate, module, engine)

    return deploy.parity.gate.check_parity(
        comparison,
        deploy.samples.chosen_files(manifest, raw.root, splits=params.splits, n_samples=params.n_samples),
        {row["sample_id"]: row for row in predictions.to_dict("records")},
        engines=params.engines,
        tolerances=params.tolerances.model_dump(),
        key="export.anomaly",
    )
