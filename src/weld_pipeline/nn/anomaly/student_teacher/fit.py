"""Fit of a student–teacher detector on prepared good images."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.batches import normalised_batches
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_teacher.batches import TileRows, step_batches
from weld_pipeline.nn.anomaly.student_teacher.learner import StudentLearner, StudentSteps
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher, save_student_teacher
from weld_pipeline.nn.anomaly.student_teacher.pdn import Size
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import PenaltyImages
from weld_pipeline.nn.anomaly.student_teacher.statistics import autoencoder_error, channel_statistics, map_quantiles
from weld_pipeline.nn.anomaly.student_teacher.teacher import check_teacher_size, restore_teacher, statistics_of
from weld_pipeline.nn.device import find_device
from weld_pipeline.nn.state import load_tensors
from weld_pipeline.nn.training.batches import in_order
from weld_pipeline.nn.training.curves import Curves, curves_of
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import Trained, TrainingPlan, train

# Raise it when a code change changes a trained detector; it is part of every key.
STUDENT_VERSION = 1
_BATCH = 8  # images in passes without training
# An autoencoder that leaves more than this share of the teacher's variance unexplained on valid is not used.
_MAX_AUTOENCODER_ERROR = 0.9


def fit_student_teacher(
    train_tiles: GoodTiles,
    valid_tiles: GoodTiles,
    *,
    teacher: SavedModel,
    size: Size,
    preprocess: MapPreprocess,
    penalty_images: PenaltyImages,
    steps: StudentSteps,
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return a student–teacher detector and its metrics of each epoch.

    Images are read when needed, so memory does not grow with their number.

    The paper's final map is the mean of the student's and the autoencoder's map. After few steps the autoencoder outputs
    little more than the teacher's mean. The student's copy differs from it by noise, and the quantiles bring this noise
    to full scale. So the autoencoder's map is left out where it explains less than a tenth of the teacher's variance on
    valid. The saved training holds the rest as `autoencoder_error_over_variance`.

    Args:
        train_tiles: Good tiles of the train split; the teacher's statistics come from them too.
        valid_tiles: Good tiles of the valid split; the best epoch and the maps' quantiles come from them.
        teacher: Teacher from `find_teacher.choose_teacher` or `distill.distill_teacher`.
        preprocess: Preprocessing of the images, with the teacher's own mean and standard deviation.

    Raises:
        WeldError: If there are no good images, if they are too small or were prepared with other settings, if the
            teacher's output or the loss is no number, or if the student's map is constant.
    """
    image_px = preprocess.image_px
    check_teacher_size(teacher, image_px)
    check_normalisation(teacher, preprocess)
    for tiles in (train_tiles, valid_tiles):
        tiles.check(image_px, preprocess.n_channels)
    statistics = channel_statistics(
        restore_teacher(teacher).to(find_device()), prepared_batches(train_tiles, preprocess)
    )
    architecture: dict[str, Any] = {"image_px": image_px, "size": size, "teacher": dict(teacher.architecture)}

    def build() -> StudentLearner:
        network = StudentTeacher(**architecture)
        load_tensors(network.teacher, teacher.tensors)
        network.teacher_mean.copy_(statistics[:1])
        network.teacher_std.copy_(statistics[1:])
        return StudentLearner(network, preprocess=preprocess, steps=steps)

    data = {"train": train_tiles.digest(), "valid": valid_tiles.digest(), "teacher": teacher.provenance["fingerprint"]}
    provenance = data | {"penalty": penalty_images.describe(), "preprocess": preprocess.architecture}
    trained = train(
        build,
        batches=step_batches(
            train_tiles, penalty_images, n_steps=steps.epoch_steps, batch_size=steps.batch_size, seed=steps.seed
        ),
        valid_batches=in_order(TileRows(valid_tiles), len(valid_tiles), batch_size=_BATCH),
        plan=_plan(steps),
        folder=folder,
        key=content_key(STUDENT_VERSION, provenance, architecture, asdict(steps)),
        accelerator="auto",
    )
    network = _network(architecture, trained)
    error = autoencoder_error(network, prepared_batches(valid_tiles, preprocess))
    if error > _MAX_AUTOENCODER_ERROR:
        network = _network(architecture | {"uses_autoencoder": False}, trained)
    network.quantiles.copy_(map_quantiles(network, prepared_batches(valid_tiles, preprocess)))
    size_of = {"n_train": len(train_tiles), "n_valid": len(valid_tiles)}
    model = save_student_teacher(
        network,
        training=trained.summary(_plan(steps)) | asdict(steps) | {"autoencoder_error_over_variance": error},
        provenance=provenance | size_of | {"weights": teacher.provenance["weights"]},
    )
    return model, curves_of(trained)


def _plan(steps: StudentSteps) -> TrainingPlan:
    """Return the plan: all steps are run, since the rate falls at the end; the epoch with the lowest loss on valid is kept."""
    return TrainingPlan(steps.n_epochs, patience=steps.n_epochs, monitor="valid_loss", mode="min", seed=steps.seed)


def _network(architecture: dict[str, Any], trained: Trained) -> StudentTeacher:
    network = StudentTeacher(**architecture)
    load_tensors(network, trained.state)
    return network.eval()


def check_normalisation(teacher: SavedModel, preprocess: MapPreprocess) -> None:
    """Refuse images with another mean or standard deviation than the teacher's."""
    mean, std = statistics_of(teacher.architecture)
    found = preprocess.architecture["mean"], preprocess.architecture["std"]
    if not np.allclose([mean, std], found, atol=1e-6):
        raise WeldError(
            f"teacher was trained on images of mean {mean} and std {std}, these have {found[0]} and {found[1]}; "
            "take the statistics from the teacher"
        )


def prepared_batches(tiles: GoodTiles, preprocess: MapPreprocess) -> Iterator[Float[Tensor, "B 3 S S"]]:
    """Return all tiles in order, as normalised batches on the device of the networks."""
    device = find_device()
    return (batch.to(device) for batch in normalised_batches(tiles, preprocess, batch_size=_BATCH))
