"""Nodes of `export`."""

from typing import Any

import pandas as pd

from weld_pipeline import core, deploy, nn
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.deploy.bundle import BundleContents
from weld_pipeline.pipelines.anomaly_detector.params import TilingParams
from weld_pipeline.pipelines.export.params import AnomalyParityParams, ImageParityParams, ParityParams
from weld_pipeline.runtime.bundle import CARD, GRAPH, Bundle


def assemble_classifier(
    *,
    trunk: SavedModel,
    standardizer: SavedModel,
    autoencoder: SavedModel,
    good_autoencoder: SavedModel,
    classifier: SavedModel,
    calibration: dict[str, Any],
) -> Any:
    """Return the trained parts as one torch module, from frames to the verdict's numbers."""
    return nn.video.graph.assemble(
        trunk=trunk,
        standardizer=standardizer,
        autoencoder=autoencoder,
        good_autoencoder=good_autoencoder,
        classifier=classifier,
        calibration=calibration,
    )


def export_graph(
    *,
    module: Any,
    family_name: str,
    trunk: SavedModel,
    classifier: SavedModel,
    calibration: dict[str, Any],
    manifest: pd.DataFrame,
    evaluation: dict[str, Any],
    banners: list[str],
    mlflow_run_id: str | None,
) -> BundleContents:
    """Return the bundle before the parity gate: graph, description, card."""
    learnt = classifier.provenance
    return deploy.bundle.candidate(
        deploy.onnx_export.export_video_graph(module, window=learnt["input"]["window"], latent_size=module.latent_size),
        family=family_name,
        classes=learnt["classes"],
        good_class=learnt["good_class"],
        contract=deploy.description.video_contract(learnt["input"], latent_size=module.latent_size),
        calibration=calibration,
        manifest=manifest,
        weights=trunk.provenance["weights"],
        mlflow_run_id=mlflow_run_id,
        evaluation=evaluation,
        banners=banners,
    )


def check_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw_footage: SourceTree,
    predictions: pd.DataFrame,
    params: ParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on files of footage."""
    chosen = deploy.samples.choose_samples(manifest, splits=params.splits, n_samples=params.n_videos)
    videos = {row["sample_id"]: core.files.inside(raw_footage.root, row["path"]) for row in chosen.to_dict("records")}
    table = {row["sample_id"]: row for row in predictions.to_dict("records")}
    return deploy.parity.video.check_parity(
        candidate,
        module,
        videos,
        table,
        n_clips=params.n_clips,
        tolerances=deploy.parity.gate.Tolerances(params.p_tolerance, params.score_tolerance, params.table_p_tolerance),
    )


def assemble_image_graph(classifier: SavedModel, calibration: dict[str, Any]) -> Any:
    """Return the trained classifier as one torch module, from images to the verdict's numbers."""
    fitted = [calibration[name] for name in ("temperature", "platt_a", "platt_b")] if calibration else None
    return nn.image.graph.ImageGraph(
        classifier=nn.image.classifier.restore_image_classifier(classifier),
        good_index=classifier.provenance["classes"].index(classifier.provenance["good_class"]),
        calibration=nn.calibrated.Calibration(*fitted) if fitted else None,
    )


def export_image_graph(
    *,
    module: Any,
    family_name: str,
    classifier: SavedModel,
    calibration: dict[str, Any],
    manifest: pd.DataFrame,
    evaluation: dict[str, Any],
    banners: list[str],
    mlflow_run_id: str | None,
) -> BundleContents:
    """Return the bundle of an image family before the parity gate: graph, description, card."""
    learnt = classifier.provenance
    return deploy.bundle.candidate(
        deploy.onnx_export.export_image_graph(module),
        family=family_name,
        classes=learnt["classes"],
        good_class=learnt["good_class"],
        contract=deploy.description.image_contract(module.classifier.preprocess.architecture, views=learnt["views"]),
        calibration=calibration,
        manifest=manifest,
        weights=learnt["weights"],
        mlflow_run_id=mlflow_run_id,
        evaluation=evaluation,
        banners=banners,
    )


def check_image_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw_images: SourceTree,
    predictions: pd.DataFrame,
    params: ImageParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on image files."""
    table = {row["sample_id"]: row for row in predictions.to_dict("records")}
    return deploy.parity.image.check_image_parity(
        candidate,
        module,
        deploy.samples.chosen_images(manifest, raw_images.root, splits=params.splits, n_images=params.n_images),
        table,
        tolerances=deploy.parity.gate.Tolerances(params.p_tolerance, params.score_tolerance, params.table_p_tolerance),
    )


def assemble_anomaly_graph(detector: SavedModel) -> Any:
    """Return the fitted detector as one torch module, from images to scores and maps."""
    return nn.anomaly.graph.AnomalyGraph(
        nn.anomaly.preprocess.MapPreprocess(**detector.provenance["preprocess"]),
        nn.anomaly.detectors.restore_detector(detector),
    )


def export_anomaly_graph(
    *,
    module: Any,
    family_name: str,
    detector: SavedModel,
    calibration: dict[str, Any],
    manifest: pd.DataFrame,
    evaluation: dict[str, Any],
    banners: list[str],
    mlflow_run_id: str | None,
    tiling: TilingParams | None,
) -> BundleContents:
    """Return the bundle of a detector before the parity gate: graph, description, card."""
    learnt = detector.provenance
    return deploy.bundle.candidate(
        deploy.onnx_export.export_anomaly_graph(module),
        family=family_name,
        classes=[learnt["good_class"], core.labels.ANOMALOUS],
        good_class=learnt["good_class"],
        contract=deploy.description.anomaly_contract(
            learnt["preprocess"], tiling=None if tiling is None else tiling.model_dump()
        ),
        calibration=calibration,
        manifest=manifest,
        weights=learnt["weights"],
        mlflow_run_id=mlflow_run_id,
        evaluation=evaluation,
        banners=banners,
    )


def check_anomaly_parity(
    *,
    candidate: Bundle,
    module: Any,
    manifest: pd.DataFrame,
    raw_images: SourceTree,
    predictions: pd.DataFrame,
    params: AnomalyParityParams,
) -> dict[str, Any]:
    """Return how far the candidate on disk differs from torch and from the predictions, on image files."""
    table = {row["sample_id"]: row for row in predictions.to_dict("records")}
    return deploy.parity.anomaly.check_anomaly_parity(
        candidate,
        module,
        deploy.samples.chosen_images(manifest, raw_images.root, splits=params.splits, n_images=params.n_images),
        table,
        tolerances=deploy.parity.gate.AnomalyTolerances(
            params.score_tolerance, params.level_tolerance, params.table_score_tolerance, params.table_p_tolerance
        ),
    )


def release_bundle(candidate: Bundle, parity: dict[str, Any]) -> BundleContents:
    """Return the candidate as a release: the same graph, with the parity it was given on record."""
    checked = {name: value for name, value in parity.items() if name not in ("videos", "images")}
    description = candidate.description.model_dump(mode="json", exclude={"files", "sha256"}) | {"parity": checked}
    return BundleContents(
        description, {GRAPH: candidate.folder / GRAPH, CARD: deploy.card.model_card(description).encode()}
    )
