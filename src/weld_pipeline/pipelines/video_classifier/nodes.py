"""Nodes of `video_classifier`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from weld_pipeline import core, decision, media, nn
from weld_pipeline.core.files import inside
from weld_pipeline.core.items.pending import Item, PendingItems
from weld_pipeline.core.samples import ClassList, choose_classes, ids_of, usable_rows, with_clips
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.core.stores import FolderStore
from weld_pipeline.decision.policy import Decision
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.video.clip_matrix import ClipMatrix, PendingMatrix, RunClips
from weld_pipeline.pipelines.params import WindowParams
from weld_pipeline.pipelines.video_classifier.params import (
    AutoencoderParams,
    CalibrationParams,
    ClassifierParams,
    ClassParams,
    ComputeParams,
    FeatureParams,
    TrunkParams,
)


def list_classes(manifest: pd.DataFrame, params: ClassParams) -> dict[str, Any]:
    """Return the classes in the order of all logits, and which of them is good."""
    classes = choose_classes(usable_rows(manifest, media="video"), order=params.order)
    return {"names": list(classes.names), "good": classes.good}


def load_trunk(params: TrunkParams) -> tuple[SavedModel, dict[str, Any]]:
    """Return the trunk and the record of its weights."""
    trunk, record = nn.video.trunk.load_trunk(
        params.name, weights=params.weights, seed=params.seed, folder=Path(params.folder)
    )
    return nn.video.trunk.save_trunk(trunk, record), record.as_dict()


def choose_compute(
    manifest: pd.DataFrame, raw: SourceTree, trunk: SavedModel, windows: WindowParams, params: ComputeParams
) -> dict[str, Any]:
    """Return device and precision for the trunk, with what bf16 would cost on clips of this footage."""
    runs = usable_rows(manifest, media="video")
    chosen = runs.iloc[np.unique(np.linspace(0, len(runs) - 1, params.n_clips).astype(int))]
    network = nn.video.trunk.restore_trunk(trunk)
    network.check_window(windows.window)
    paths = [inside(raw.root, path) for path in chosen["path"]]
    clips = nn.video.features.first_clips(paths, network.preprocess, _windows(windows))
    compute = nn.video.compute.choose_compute(
        network, clips, precision=params.precision, max_rounding=params.max_rounding
    )
    return asdict(compute)


def extract_clip_features(
    *,
    manifest: pd.DataFrame,
    raw: SourceTree,
    trunk: SavedModel,
    compute: dict[str, Any],
    windows: WindowParams,
    params: FeatureParams,
) -> PendingItems[Path, dict[str, np.ndarray]]:
    """Return the features of every usable video as work to be done where they are saved."""
    nn.video.features.check_request(trunk, params.source, params.n_features)
    how, which = nn.video.compute.Compute(**compute), _windows(windows)
    runs = usable_rows(manifest, media="video")
    items = [
        Item(
            sample_id,
            nn.video.features.feature_key(sha256, trunk=trunk, windows=which, compute=how),
            inside(raw.root, path),
        )
        for sample_id, sha256, path in zip(runs["sample_id"], runs["sha256"], runs["path"], strict=True)
    ]
    return PendingItems(
        nn.video.features.FeatureWorkerFactory(trunk, which, how, params.batch_size), items, "extracting clip features"
    )


def stack_clip_features(clip_features: FolderStore, params: FeatureParams) -> PendingMatrix:
    """Return the kept features of all clips as one matrix, to be written run by run."""

    def kept(sample_id: str) -> RunClips:
        item = clip_features[sample_id]
        return RunClips(
            sample_id, nn.video.features.kept_features(item, params.source, params.n_features), item["start"]
        )

    return PendingMatrix(lambda: map(kept, clip_features), n_features=params.n_features)


def count_clips(clip_matrix: ClipMatrix, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return how many clips each usable video has."""
    table = usable_rows(manifest, media="video")[["sample_id", "label", "split", "session"]].copy()
    table["n_clips"] = table["sample_id"].map(clip_matrix.n_clips())
    return table


def fit_standardizer(
    clip_matrix: ClipMatrix, manifest: pd.DataFrame, trunk: SavedModel, params: FeatureParams
) -> SavedModel:
    """Return mean and standard deviation of each feature over the train split."""
    train_ids = ids_of(_runs(manifest, clip_matrix), "train")
    return nn.video.fit.fit_standardizer(clip_matrix, train_ids, source=params.source, trunk=trunk.provenance)


def train_autoencoder(
    *,
    clip_matrix: ClipMatrix,
    standardizer: SavedModel,
    manifest: pd.DataFrame,
    training_folder: TrainingFolder,
    params: AutoencoderParams,
) -> tuple[SavedModel, dict[str, list[float]]]:
    """Return the autoencoder of all welds, trained without labels."""
    return _train_autoencoder(clip_matrix, standardizer, _runs(manifest, clip_matrix), training_folder, params)


def train_good_autoencoder(
    *,
    clip_matrix: ClipMatrix,
    standardizer: SavedModel,
    manifest: pd.DataFrame,
    classes: dict[str, Any],
    training_folder: TrainingFolder,
    params: AutoencoderParams,
) -> tuple[SavedModel, dict[str, list[float]]]:
    """Return an autoencoder that has seen good welds only, whose error is the unsupervised score."""
    runs = _runs(manifest, clip_matrix)
    good = runs[runs["label"] == classes["good"]]
    return _train_autoencoder(clip_matrix, standardizer, good, training_folder, params)


def pool_latents(
    clip_matrix: ClipMatrix, standardizer: SavedModel, autoencoder: SavedModel, manifest: pd.DataFrame
) -> pd.DataFrame:
    """Return the mean latent of every run that has a clip."""
    runs = _runs(manifest, clip_matrix)
    latents = nn.video.fit.pooled_latents(
        clip_matrix,
        nn.video.fit.restore_standardizer(standardizer),
        nn.video.graph.restore_autoencoder(autoencoder),
        list(runs["sample_id"]),
    )
    names = [f"latent_{index:03d}" for index in range(latents.shape[1])]
    table = pd.DataFrame(latents, columns=names)
    table.insert(0, "sample_id", list(runs["sample_id"]))
    return table


def score_anomalies(
    clip_matrix: ClipMatrix, standardizer: SavedModel, good_autoencoder: SavedModel, manifest: pd.DataFrame
) -> pd.DataFrame:
    """Return how badly each run is reconstructed by the autoencoder of good welds."""
    runs = _runs(manifest, clip_matrix)
    table = runs[["sample_id", "label", "split"]].reset_index(drop=True)
    table["anomaly"] = nn.video.fit.reconstruction_errors(
        clip_matrix,
        nn.video.fit.restore_standardizer(standardizer),
        nn.video.graph.restore_autoencoder(good_autoencoder),
        list(runs["sample_id"]),
    )
    return table


def train_classifier(
    *,
    run_latents: pd.DataFrame,
    autoencoder: SavedModel,
    manifest: pd.DataFrame,
    classes: dict[str, Any],
    training_folder: TrainingFolder,
    windows: WindowParams,
    params: ClassifierParams,
) -> tuple[SavedModel, dict[str, list[float]]]:
    """Return the classifier of pooled latents: fitted on train, its best epoch taken from valid."""
    rows = run_latents.merge(manifest, on="sample_id", validate="one_to_one")
    rows = rows[rows["split"].isin(["train", "valid"])]
    names = list(classes["names"])
    model, curves = nn.video.fit.train_classifier(
        _latents(rows),
        np.array([names.index(label) for label in rows["label"]], dtype=np.int64),
        is_valid=(rows["split"] == "valid").to_numpy(bool),
        n_classes=len(names),
        hidden=params.hidden,
        dropout=params.dropout,
        weight_decay=params.weight_decay,
        steps=_steps(params),
        folder=training_folder,
    )
    provenance = {"classes": names, "good_class": classes["good"], "input": windows.model_dump(mode="json")}
    return core.saved_model.with_provenance(model, **provenance, autoencoder=autoencoder.provenance), curves


def fit_decision(
    run_latents: pd.DataFrame, classifier: SavedModel, manifest: pd.DataFrame, params: CalibrationParams
) -> Decision:
    """Return temperature, Platt's sigmoid and threshold, fitted on the calib split; by the class alone if that is empty."""
    rows = run_latents.merge(manifest[manifest["split"] == "calib"], on="sample_id", validate="one_to_one")
    logits = nn.video.predict.run_logits(nn.video.graph.restore_classifier(classifier), _latents(rows))
    return decision.classifier_predictions.fit_decision(
        logits, list(rows["label"]), _classes_of(classifier), threshold=params.threshold
    )


def predict_runs(
    run_latents: pd.DataFrame, classifier: SavedModel, fitted: Decision, manifest: pd.DataFrame
) -> pd.DataFrame:
    """Return the predictions for every run of every split."""
    rows = run_latents.merge(manifest, on="sample_id", validate="one_to_one")
    logits = nn.video.predict.run_logits(nn.video.graph.restore_classifier(classifier), _latents(rows))
    return decision.classifier_predictions.predictions_table(rows, logits, _classes_of(classifier), fitted)


def collect_curves(
    autoencoder: dict[str, list[float]], good_autoencoder: dict[str, list[float]], classifier: dict[str, list[float]]
) -> dict[str, dict[str, list[float]]]:
    """Return the curves of the three trainings by name."""
    return {"autoencoder": autoencoder, "good_autoencoder": good_autoencoder, "classifier": classifier}


def _train_autoencoder(
    clip_matrix: ClipMatrix,
    standardizer: SavedModel,
    runs: pd.DataFrame,
    folder: TrainingFolder,
    params: AutoencoderParams,
) -> tuple[SavedModel, dict[str, list[float]]]:
    return nn.video.fit.train_autoencoder(
        clip_matrix,
        standardizer,
        train_ids=ids_of(runs, "train"),
        valid_ids=ids_of(runs, "valid"),
        hidden=params.hidden,
        latent=params.latent,
        latent_penalty=params.latent_penalty,
        steps=_steps(params),
        folder=folder,
    )


def _runs(manifest: pd.DataFrame, clip_matrix: ClipMatrix) -> pd.DataFrame:
    return with_clips(usable_rows(manifest, media="video"), pd.Series(clip_matrix.n_clips()))


def _latents(table: pd.DataFrame) -> np.ndarray:
    columns = [name for name in table.columns if name.startswith("latent_")]
    return table[columns].to_numpy(np.float32, copy=True)  # torch warns of what pandas lends it to read


def _classes_of(classifier: SavedModel) -> ClassList:
    return ClassList(tuple(classifier.provenance["classes"]), classifier.provenance["good_class"])


def _windows(params: WindowParams) -> Any:
    return nn.video.features.Windows(params.window, params.stride, media.clips.ArcGate(**params.gate.model_dump()))


def _steps(params: AutoencoderParams | ClassifierParams) -> Any:
    return nn.video.fit.Steps(
        **params.model_dump(include={"batch_size", "learning_rate", "max_epochs", "patience", "seed"})
    )
