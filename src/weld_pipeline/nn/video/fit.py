"""Fit of the video models on the clip matrix: standardiser, autoencoders, classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.training.batches import FeatureRows, in_order, shuffled
from weld_pipeline.nn.training.curves import Curves, curves_of
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import Trained, TrainingPlan, train
from weld_pipeline.nn.video.autoencoder import Autoencoder, reconstruction_error
from weld_pipeline.nn.video.classifier import LatentClassifier
from weld_pipeline.nn.video.clip_matrix import ClipMatrix
from weld_pipeline.nn.video.learners import AutoencoderLearner, ClassifierLearner
from weld_pipeline.nn.video.standardizer import FeatureStatistics, Standardizer, fit_statistics

# Raise it when a code change changes a trained model; it is part of every key.
TRAINING_VERSION = 1
_VALID_BATCH = 4096


@dataclass(frozen=True)
class Steps:
    """How a network is trained.

    Attributes:
        batch_size: Rows in a step.
        learning_rate: Learning rate of Adam.
        patience: Number of epochs without a better one after which training stops.
        seed: Seed of initial weights, shuffling and dropout.
    """

    batch_size: int
    learning_rate: float
    max_epochs: int
    patience: int
    seed: int

    @property
    def plan(self) -> TrainingPlan:
        """Return the plan: the epoch with the lowest loss on valid is kept, because the loss is smooth on few runs."""
        return TrainingPlan(self.max_epochs, self.patience, monitor="valid_loss", mode="min", seed=self.seed)


def fit_standardizer(
    matrix: ClipMatrix, train_ids: Sequence[str], *, source: Literal["embedding", "logits"], trunk: Mapping[str, Any]
) -> SavedModel:
    """Return mean and standard deviation of each feature over the clips of some runs.

    Args:
        train_ids: Runs of the train split.
        source: Output of the trunk that the features come from; the graph needs it.
        trunk: Provenance of the trunk.
    """
    statistics = fit_statistics(matrix.chunks(matrix.rows_of(train_ids)))
    return SavedModel(
        family="standardizer",
        architecture={"source": source, "n_features": len(statistics.mean)},
        tensors={"mean": statistics.mean, "std": statistics.std},
        training={"n_rows": statistics.n_rows, "n_runs": len(train_ids)},
        provenance={"trunk": trunk["fingerprint"], "weights": trunk["weights"], "data": matrix.digest(train_ids)},
    )


def restore_standardizer(model: SavedModel) -> Standardizer:
    """Return the standardiser a model file holds."""
    return Standardizer(FeatureStatistics(model.tensors["mean"], model.tensors["std"], model.training["n_rows"]))


def train_autoencoder(
    matrix: ClipMatrix,
    standardizer: SavedModel,
    *,
    train_ids: Sequence[str],
    valid_ids: Sequence[str],
    hidden: int,
    latent: int,
    latent_penalty: float,
    steps: Steps,
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return an autoencoder trained without labels on the clips of some runs, and its losses of each epoch.

    Args:
        standardizer: Standardiser fitted on the train split.
        valid_ids: Runs its best epoch is chosen on.
        latent_penalty: Factor of the squared norm of the latent in the loss.
    """
    architecture = {"n_features": standardizer.architecture["n_features"], "hidden": hidden, "latent": latent}
    transform = restore_standardizer(standardizer)
    rows, valid_rows = matrix.rows_of(train_ids), matrix.rows_of(valid_ids)
    data = {
        "train": matrix.digest(train_ids),
        "valid": matrix.digest(valid_ids),
        "standardizer": standardizer.provenance,
    }

    def build() -> AutoencoderLearner:
        network = Autoencoder(**architecture)
        return AutoencoderLearner(network, latent_penalty=latent_penalty, learning_rate=steps.learning_rate)

    trained = train(
        build,
        batches=shuffled(
            FeatureRows(matrix.values, rows, transform), len(rows), batch_size=steps.batch_size, seed=steps.seed
        ),
        valid_batches=in_order(
            FeatureRows(matrix.values, valid_rows, transform), len(valid_rows), batch_size=_VALID_BATCH
        ),
        plan=steps.plan,
        folder=folder,
        key=content_key(TRAINING_VERSION, "autoencoder", data, architecture, latent_penalty, asdict(steps)),
    )
    size = {"n_train_runs": len(train_ids), "n_train_clips": len(rows), "n_valid_clips": len(valid_rows)}
    return _saved("autoencoder", architecture, trained, steps, data | size), curves_of(trained)


def train_classifier(
    latents: Float[np.ndarray, "R L"],
    labels: Int[np.ndarray, " R"],
    *,
    is_valid: np.ndarray,
    n_classes: int,
    hidden: int,
    dropout: float,
    weight_decay: float,
    steps: Steps,
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return a classifier of frozen pooled latents, and its losses of each epoch.

    Args:
        latents: Latents of the runs of train and valid, one row for each.
        is_valid: Whether each run is of the valid split, which the best epoch is chosen on.
        dropout: Share of hidden units dropped in a step.
    """
    architecture = {"latent": latents.shape[1], "hidden": hidden, "n_classes": n_classes, "dropout": dropout}
    data = {"latents": content_key(latents.tolist(), labels.tolist(), is_valid.tolist())}

    def rows(chosen: np.ndarray) -> tuple[Dataset[tuple[Tensor, ...]], int]:
        return TensorDataset(torch.from_numpy(latents[chosen]), torch.from_numpy(labels[chosen])), int(chosen.sum())

    def build() -> ClassifierLearner:
        network = LatentClassifier(**architecture)
        return ClassifierLearner(network, learning_rate=steps.learning_rate, weight_decay=weight_decay)

    trained = train(
        build,
        batches=shuffled(*rows(~is_valid), batch_size=steps.batch_size, seed=steps.seed),
        valid_batches=in_order(*rows(is_valid), batch_size=_VALID_BATCH),
        plan=steps.plan,
        folder=folder,
        key=content_key(TRAINING_VERSION, "latent_classifier", data, architecture, weight_decay, asdict(steps)),
    )
    size = {"n_train_runs": int((~is_valid).sum()), "n_valid_runs": int(is_valid.sum())}
    return _saved("latent_classifier", architecture, trained, steps, data | size), curves_of(trained)


@torch.inference_mode()
def pooled_latents(
    matrix: ClipMatrix, standardizer: Standardizer, autoencoder: Autoencoder, sample_ids: Sequence[str]
) -> Float[np.ndarray, "R L"]:
    """Return the mean latent of each run's clips."""
    return np.stack(
        [autoencoder.encoder(standardizer(_features(matrix, name))).mean(dim=0).numpy() for name in sample_ids]
    )


@torch.inference_mode()
def reconstruction_errors(
    matrix: ClipMatrix, standardizer: Standardizer, autoencoder: Autoencoder, sample_ids: Sequence[str]
) -> Float[np.ndarray, " R"]:
    """Return the mean reconstruction error of each run's clips."""
    errors = []
    for name in sample_ids:
        features = standardizer(_features(matrix, name))
        errors.append(float(reconstruction_error(autoencoder(features)[0], features).mean()))
    return np.array(errors)


def _features(matrix: ClipMatrix, sample_id: str) -> Float[Tensor, "W F"]:
    return torch.from_numpy(np.array(matrix.values[matrix.rows[sample_id]]))


def _saved(
    family: str, architecture: Mapping[str, Any], trained: Trained, steps: Steps, provenance: Mapping[str, Any]
) -> SavedModel:
    training = trained.summary(steps.plan) | asdict(steps)
    return SavedModel(family, architecture, trained.state, training, provenance)
