"""Nodes of `anomaly_detector`, the same for every detector but for the fit."""

import logging
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from weld_pipeline import core, decision, evaluation, nn, report
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.samples import usable_rows
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.decision.policy import Decision
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.media.tiles import Tiling
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.pipelines.anomaly_detector.params import (
    AnomalyLookParams,
    CheckParams,
    MapImageParams,
    MapTrunkParams,
    PatchCoreParams,
    ReferenceParams,
    StudentParams,
    TeacherParams,
    ThresholdParams,
)
from weld_pipeline.pipelines.params import EvaluationParams, TilingParams

logger = logging.getLogger(__name__)


def load_trunk(params: MapTrunkParams, image: MapImageParams) -> tuple[SavedModel, dict[str, Any]]:
    """Return the trunk up to the last of its chosen layers, and the record of its weights."""
    trunk, record = nn.anomaly.trunk.load_map_trunk(
        params.name,
        layers=params.layers,
        image_px=image.image_px,
        weights=params.weights,
        seed=params.seed,
        folder=Path(params.folder),
    )
    return nn.anomaly.trunk.save_map_trunk(trunk, record), record.as_dict()


def prepare_images(
    manifest: pd.DataFrame, raw: SourceTree, image: MapImageParams, tiling: TilingParams | None
) -> PendingItems[Any, dict[str, np.ndarray]]:
    """Return the preparing of every usable image as work to be done where it is saved."""

    def file(path: str) -> Path:
        return core.files.inside(raw.root, path)

    images = [
        nn.anomaly.prepared.MaskedImage(
            sample_id=row["sample_id"],
            path=file(row["path"]),
            sha256=row["sha256"],
            is_defect=bool(row["is_defect"]),
            mask=None if pd.isna(row["mask_path"]) else file(row["mask_path"]),
        )
        for row in usable_rows(manifest, media="image").to_dict("records")
    ]
    # Mean and standard deviation come after the store, so any do.
    how = _preprocess(image, {"mean": (0.0,) * 3, "std": (1.0,) * 3})
    return nn.anomaly.prepared.pending_prepared(
        images,
        preprocess=how,
        tiling=_tiling(tiling),
        n_workers=image.n_workers,
        sample_bits=core.tables.sample_bits(manifest),
    )


def fit_patchcore(
    images: TensorStore, manifest: pd.DataFrame, trunk: SavedModel, image: MapImageParams, params: PatchCoreParams
) -> SavedModel:
    """Return PatchCore: what good images of train look like, patch by patch, in as few patches as asked for."""
    how = _preprocess(image, trunk.architecture)
    tiles = _good_tiles(images, manifest, "train")
    network = nn.anomaly.trunk.restore_map_trunk(trunk)
    n_bank = params.coreset_size
    if params.coreset_ratio is not None:
        n_bank = nn.anomaly.patchcore.model.share_of_patches(network, len(tiles), params.coreset_ratio)
    assert n_bank is not None  # the parameters name one of the two
    detector = nn.anomaly.patchcore.model.fit_patchcore(
        network,
        nn.anomaly.batches.normalised_batches(
            tiles, nn.anomaly.preprocess.MapPreprocess(**how), batch_size=image.batch_size
        ),
        coreset_size=n_bank,
        budget_bytes=params.budget_mb * 2**20,
        **params.model_dump(exclude={"budget_mb", "coreset_size", "coreset_ratio"}),
    )
    return nn.anomaly.patchcore.model.save_patchcore(detector, _provenance(how, trunk, manifest, n_tiles=len(tiles)))


def fit_reference(
    images: TensorStore, manifest: pd.DataFrame, trunk: SavedModel, image: MapImageParams, params: ReferenceParams
) -> SavedModel:
    """Return the reference detector: mean, and perhaps variance, of the features of good images of train."""
    how = _preprocess(image, trunk.architecture)
    tiles = _good_tiles(images, manifest, "train")
    detector, _ = nn.anomaly.reference.model.fit_reference(
        nn.anomaly.trunk.restore_map_trunk(trunk),
        nn.anomaly.batches.normalised_batches(
            tiles, nn.anomaly.preprocess.MapPreprocess(**how), batch_size=image.batch_size
        ),
        nn.anomaly.reference.model.ReferenceOptions(**params.model_dump()),
    )
    return nn.anomaly.reference.model.save_reference(detector, _provenance(how, trunk, manifest, n_tiles=len(tiles)))


def make_teacher(
    *,
    images: TensorStore,
    manifest: pd.DataFrame,
    training_folder: TrainingFolder,
    image: MapImageParams,
    student: StudentParams,
    trunk: SavedModel,
    teacher: TeacherParams,
) -> SavedModel:
    """Return whom the student imitates: a patch network from elsewhere or distilled here, or slices of the trunk."""
    folder = Path(teacher.folder)
    kind = nn.anomaly.student_teacher.find_teacher.teacher_kind(
        teacher.kind, size=student.size, weights=teacher.weights, folder=folder
    )
    chosen = nn.anomaly.student_teacher.find_teacher.choose_teacher(
        "pdn" if kind == "pdn" else "slices", trunk=trunk, size=student.size, weights=teacher.weights, folder=folder
    )
    if kind != "distilled":
        return chosen
    distilled, _ = nn.anomaly.student_teacher.distill.distill_teacher(
        chosen,
        _good_tiles(images, manifest, "train"),
        _good_tiles(images, manifest, "valid"),
        size=student.size,
        preprocess=nn.anomaly.preprocess.MapPreprocess(**_preprocess(image, trunk.architecture)),
        penalty_images=_penalty_images(student, image),
        steps=nn.anomaly.student_teacher.learner.StudentSteps(
            **teacher.distilling.model_dump(exclude={"refit_images"})
        ),
        refit_images=teacher.distilling.refit_images,
        folder=training_folder.sub("teacher"),
    )
    return distilled


def train_student(
    *,
    images: TensorStore,
    manifest: pd.DataFrame,
    training_folder: TrainingFolder,
    image: MapImageParams,
    student: StudentParams,
    teacher_network: SavedModel,
) -> tuple[SavedModel, dict[str, dict[str, list[float]]]]:
    """Return the student–teacher detector: trained on good images of train, its best epoch taken from those of valid."""
    mean, std = nn.anomaly.student_teacher.teacher.statistics_of(teacher_network.architecture)
    how = _preprocess(image, {"mean": mean, "std": std})
    tiles = _good_tiles(images, manifest, "train")
    model, curves = nn.anomaly.student_teacher.fit.fit_student_teacher(
        tiles,
        _good_tiles(images, manifest, "valid"),
        teacher=teacher_network,
        size=student.size,
        preprocess=nn.anomaly.preprocess.MapPreprocess(**how),
        penalty_images=_penalty_images(student, image),
        steps=nn.anomaly.student_teacher.learner.StudentSteps(**student.training.model_dump()),
        folder=training_folder.sub("student"),
    )
    provenance = _provenance(how, teacher_network, manifest, n_tiles=len(tiles))
    return core.saved_model.with_provenance(model, **provenance), {"student": curves}


def check_student(
    images: TensorStore, manifest: pd.DataFrame, detector: SavedModel, params: CheckParams
) -> dict[str, Any]:
    """Return whether the student learnt anything and can tell a blemish, looked at on valid alone."""
    network = nn.anomaly.student_teacher.model.restore_student_teacher(detector)
    found = nn.anomaly.student_teacher.collapse_check.check_student(
        network,
        _good_tiles(images, manifest, "valid"),
        preprocess=nn.anomaly.preprocess.MapPreprocess(**detector.provenance["preprocess"]),
        **params.model_dump(),
    )
    for reason in found["reasons"]:
        logger.warning("student: %s", reason)
    left = detector.training["autoencoder_error_over_variance"]
    if not network.uses_autoencoder:
        logger.info(
            "student: the autoencoder leaves %.2f of the teacher's variance unexplained; its map is left out", left
        )
    return found | {"autoencoder_error_over_variance": left, "uses_autoencoder": network.uses_autoencoder}


def score_images(images: TensorStore, manifest: pd.DataFrame, detector: SavedModel) -> PendingItems[Any, Any]:
    """Return the scoring of every image the detector was not fitted on as work to be done where it is saved."""
    rows = usable_rows(manifest, media="image")
    return nn.anomaly.scoring.pending_scores(detector, images, list(rows.loc[rows["split"] != "train", "sample_id"]))


def tabulate_scores(anomaly_maps: TensorStore, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the uncalibrated score of every scored image, beside what it really is."""
    rows = manifest.set_index("sample_id").loc[list(anomaly_maps)].reset_index()
    table = rows[["sample_id", "split", "session", "label", "is_defect"]].copy()
    table["score"] = [anomaly_maps.part(name, "score").item() for name in table["sample_id"]]
    return table


def choose_threshold(
    image_scores: pd.DataFrame, anomaly_maps: TensorStore, images: TensorStore, params: ThresholdParams
) -> tuple[Decision, MapRange]:
    """Return from which score on an image fails, and how its maps are to be coloured.

    Chosen on calib; where there is none, on valid, and a banner says so.
    """
    split: Literal["calib", "valid"] = "calib" if (image_scores["split"] == "calib").any() else "valid"
    rows = image_scores[image_scores["split"] == split]
    units = nn.anomaly.calibration_units.calibration_units(rows, anomaly_maps, images)
    fitted = decision.thresholds.choose_threshold(
        units["score"].to_numpy(np.float64),
        units["is_defect"].to_numpy(bool),
        kind=params.kind,
        false_reject_rate=params.false_reject_rate,
        split=split,
        session=list(units["session"]),
        tiles_per_image=nn.anomaly.calibration_units.most_tiles(units),
    )
    logger.info(fitted.policy.describe())
    good_maps = nn.anomaly.calibration_units.good_maps(list(rows["sample_id"]), anomaly_maps, images)
    return fitted, decision.thresholds.map_range(good_maps)


def tabulate_predictions(image_scores: pd.DataFrame, manifest: pd.DataFrame, fitted: Decision) -> pd.DataFrame:
    """Return the predictions for every scored image: good, or anomalous where the score reaches the threshold."""
    return decision.detector_predictions.anomaly_predictions(image_scores, manifest, fitted)


def measure_anomalies(
    *,
    image_scores: pd.DataFrame,
    anomaly_maps: TensorStore,
    manifest: pd.DataFrame,
    raw: SourceTree,
    fitted: Decision,
    tiling: TilingParams | None,
    protocol: EvaluationParams,
    detector: SavedModel,
    images: TensorStore,
) -> dict[str, Any]:
    """Return what scores and maps are worth on the judged split, image by image and pixel by pixel."""
    rows = _judged(image_scores, protocol)
    reader = evaluation.anomaly.map_reader.MapReader(anomaly_maps, manifest, raw.root, _tiling(tiling))
    samples = reader.pixel_samples(list(rows["sample_id"]))
    how = evaluation.estimates.Protocol(**protocol.measuring())
    of_tiles = (
        evaluation.anomaly.record.tile_metrics(nn.anomaly.calibration_units.tile_rows(rows, anomaly_maps, images), how)
        if tiling
        else {}
    )
    return of_tiles | evaluation.anomaly.record.anomaly_record(
        rows,
        category=raw.root.name,
        detector=detector.family,
        policy=fitted.policy.model_dump(mode="json"),
        fails=fitted.fails(score=rows["score"].to_numpy(float), predicted=None),
        pixels=evaluation.anomaly.pixel_metrics.pixel_metrics(
            core.progress.track(samples, label="judging maps", total=len(rows)),
            max_fpr=evaluation.anomaly.pixel_metrics.usual_max_fpr(set(manifest["source"]))
            if protocol.aupro_max_fpr == "auto"
            else protocol.aupro_max_fpr,
        ),
        protocol=how,
    )


def flatten_anomaly_metrics(anomaly_metrics: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the numbers worth comparing between runs, as MLflow takes them."""
    return {
        name: {"value": value, "step": 0}
        for name, value in evaluation.anomaly.record.flat_anomaly_metrics(anomaly_metrics).items()
    }


def draw_anomaly_sheet(
    *,
    image_scores: pd.DataFrame,
    anomaly_maps: TensorStore,
    manifest: pd.DataFrame,
    raw: SourceTree,
    fitted: Decision,
    tiling: TilingParams | None,
    map_range: MapRange,
    protocol: EvaluationParams,
    params: AnomalyLookParams,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return images of the judged split with mask, map and overlay; wrong verdicts first."""
    reader = evaluation.anomaly.map_reader.MapReader(anomaly_maps, manifest, raw.root, _tiling(tiling))
    rows = _judged(image_scores, protocol)
    assert fitted.policy.kind == "score"  # a detector has no other
    return report.sheets.anomalies.anomaly_sheet(
        rows,
        reader.mapped_image,
        score_threshold=fitted.policy.threshold,
        map_threshold=map_range.threshold,
        n=params.n_images,
    )


def compare_detectors(
    patchcore: dict[str, Any], student_teacher: dict[str, Any], reference: dict[str, Any]
) -> tuple[pd.DataFrame, Any]:
    """Return the detectors beside each other, as a table and a figure."""
    table = report.detector_comparison.comparison_table([patchcore, student_teacher, reference])
    return table, report.detector_comparison.comparison_figure(table)


def _judged(image_scores: pd.DataFrame, params: EvaluationParams) -> pd.DataFrame:
    rows = image_scores[image_scores["split"] == params.split].reset_index(drop=True)
    if rows.empty:
        there = sorted(set(image_scores["split"]))
        raise core.errors.WeldError(
            f"scores: no image of split {params.split!r}, only {there}; mend evaluation.split or the splits"
        )
    return rows


def _tiling(params: TilingParams | None) -> Tiling | None:
    return None if params is None else Tiling(params.tile_px, params.overlap_px)


def _preprocess(image: MapImageParams, trunk: Any) -> dict[str, Any]:
    """Return the architecture of the preprocessing; mean and standard deviation are those of the trunk's weights."""
    how = image.model_dump(include={"image_px", "grey", "clahe_clip", "smoothing"})
    return how | {"mean": list(trunk["mean"]), "std": list(trunk["std"])}


def _good_tiles(images: TensorStore, manifest: pd.DataFrame, split: str) -> Any:
    """Return the tiles of a split that show nothing defective; a defective image may have some, where it has a mask."""
    rows = usable_rows(manifest, media="image")
    return nn.anomaly.good_tiles.GoodTiles(images, list(rows.loc[rows["split"] == split, "sample_id"]), split)


def _penalty_images(student: StudentParams, image: MapImageParams) -> Any:
    params = student.penalty_images
    folder = None if params.folder is None else Path(params.folder)
    return nn.anomaly.student_teacher.penalty_images.PenaltyImages(
        folder, image.image_px, grey=image.grey, seed=params.seed
    )


def _provenance(how: dict[str, Any], trunk: SavedModel, manifest: pd.DataFrame, *, n_tiles: int) -> dict[str, Any]:
    weights = trunk.provenance["weights"]
    return {
        "preprocess": how,
        "weights": weights,
        "good_class": decision.detector_predictions.good_class(manifest),
        "n_good_tiles": n_tiles,
    }
