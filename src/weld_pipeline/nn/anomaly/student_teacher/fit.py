"""From prepared good images to a trained student–teacher detector."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_teacher.batches import TileRows, step_batches
from weld_pipeline.nn.anomaly.student_teacher.learner import StudentLearner, StudentSteps
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher, save_student_teacher
from weld_pipeline.nn.anomaly.student_teacher.pdn import Size
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import OutOfDomain
from weld_pipeline.nn.anomaly.student_teacher.quantiles import StreamQuantiles
from weld_pipeline.nn.anomaly.student_teacher.teacher import check_teacher_size, restore_teacher, statistics_of
from weld_pipeline.nn.device import find_device
from weld_pipeline.nn.state import load_tensors
from weld_pipeline.nn.training.curves import Curves, curves_of
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import Trained, TrainingPlan, in_order, train

# Raise it when a change of the code changes what is trained; it is part of every key.
STUDENT_VERSION = 1
_BATCH = 8  # of passes that only look
_QUANTILES = (0.9, 0.995)  # §3.4
# An autoencoder that leaves more than this share of the teacher's variance unexplained on valid has learnt too little.
_UNLEARNT = 0.9


def fit_student_teacher(
    learnt: GoodTiles,
    chosen_on: GoodTiles,
    *,
    teacher: SavedModel,
    size: Size,
    preprocess: MapPreprocess,
    elsewhere: OutOfDomain,
    steps: StudentSteps,
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return a student–teacher detector and what was logged in each epoch.

    Images are read when they are needed; what is held in memory does not grow with their number.

    The paper's final map is the mean of the student's and the autoencoder's. After few steps the autoencoder says little more
    than the teacher's mean, and the student's copy of that differs from it by noise, which the quantiles then bring to
    full scale. So its map is left out where it explains less than a tenth of the teacher's variance on valid; the model's
    training says how much it left, as `autoencoder_error_over_variance`.

    Args:
        learnt: Of the train split; the teacher's statistics come from them too.
        chosen_on: Of the valid split; the best epoch and the maps' quantiles come from them.
        teacher: From `teacher.choose_teacher` or `distilling.distill_teacher`.
        size: Of the student.
        preprocess: How the images were prepared, with the teacher's own mean and spread.
        elsewhere: Images for the penalty.
        steps: How it learns.
        folder: For its checkpoints.

    Raises:
        WeldError: If there are no good images, if they are too small or were prepared otherwise, if the teacher's
            output or the loss is no number, or if the student's map has no spread.
    """
    image_px = preprocess.image_px
    check_teacher_size(teacher, image_px)
    check_normalisation(teacher, preprocess)
    for tiles in (learnt, chosen_on):
        tiles.check(image_px, preprocess.n_channels)
    statistics = channel_statistics(restore_teacher(teacher).to(find_device()), prepared_batches(learnt, preprocess))
    architecture: dict[str, Any] = {"image_px": image_px, "size": size, "teacher": dict(teacher.architecture)}

    def build() -> StudentLearner:
        network = StudentTeacher(**architecture)
        load_tensors(network.teacher, teacher.tensors)
        network.teacher_mean.copy_(statistics[:1])
        network.teacher_std.copy_(statistics[1:])
        return StudentLearner(network, preprocess=preprocess, steps=steps)

    data = {"train": learnt.digest(), "valid": chosen_on.digest(), "teacher": teacher.provenance["fingerprint"]}
    provenance = data | {"penalty": elsewhere.describe(), "preprocess": preprocess.architecture}
    trained = train(
        build,
        batches=step_batches(
            learnt, elsewhere, n_steps=steps.epoch_steps, batch_size=steps.batch_size, seed=steps.seed
        ),
        valid_batches=in_order(TileRows(chosen_on), len(chosen_on), batch_size=_BATCH),
        plan=_plan(steps),
        folder=folder,
        key=content_key(STUDENT_VERSION, provenance, architecture, asdict(steps)),
        accelerator="auto",
    )
    network = _network(architecture, trained)
    error = autoencoder_error(network, prepared_batches(chosen_on, preprocess))
    if error > _UNLEARNT:
        network = _network(architecture | {"uses_autoencoder": False}, trained)
    network.quantiles.copy_(map_quantiles(network, prepared_batches(chosen_on, preprocess)))
    size_of = {"n_train": len(learnt), "n_valid": len(chosen_on)}
    model = save_student_teacher(
        network,
        training=trained.summary(_plan(steps)) | asdict(steps) | {"autoencoder_error_over_variance": error},
        provenance=provenance | size_of | {"weights": teacher.provenance["weights"]},
    )
    return model, curves_of(trained)


def _plan(steps: StudentSteps) -> TrainingPlan:
    """Return the plan: all steps, because the rate falls at the end, and of the epochs the one that valid likes best."""
    return TrainingPlan(steps.n_epochs, patience=steps.n_epochs, monitor="valid_loss", mode="min", seed=steps.seed)


def _network(architecture: dict[str, Any], trained: Trained) -> StudentTeacher:
    network = StudentTeacher(**architecture)
    tensors = {name.removeprefix("network."): value.cpu().numpy() for name, value in trained.state.items()}
    load_tensors(network, tensors)
    return network.eval()


def check_normalisation(teacher: SavedModel, preprocess: MapPreprocess) -> None:
    """Refuse images normalised otherwise than the teacher's.

    Raises:
        WeldError: If mean or standard deviation differ.
    """
    mean, std = statistics_of(teacher.architecture)
    found = preprocess.architecture["mean"], preprocess.architecture["std"]
    if not np.allclose([mean, std], found, atol=1e-6):
        raise WeldError(
            f"teacher was made with images of mean {mean} and std {std}, these have {found[0]} and {found[1]}; "
            "take the statistics from the teacher"
        )


def prepared_batches(tiles: GoodTiles, preprocess: MapPreprocess) -> Iterator[Float[Tensor, "B 3 S S"]]:
    """Return all tiles in order, normalised, a few together, where networks run."""
    return (preprocess.normalise(torch.from_numpy(batch)).to(find_device()) for batch in tiles.batches(_BATCH))


@torch.inference_mode()
def channel_statistics(
    describe: Callable[[Tensor], Tensor], images: Iterator[Float[Tensor, "B 3 S S"]]
) -> Float[Tensor, "2 C 1 1"]:
    """Return mean and standard deviation of each channel of a description [B, C, h, w], over all places of all images.

    A channel that never moves keeps the divisor 1: there is nothing to learn in it and nothing to divide by.

    Raises:
        WeldError: If the teacher's output is no number.
    """
    moments = _ChannelMoments()
    for batch in images:
        moments.add(describe(batch).double())
    mean, variance = moments.mean_and_variance()
    if not (mean.isfinite().all() and variance.isfinite().all()):
        raise WeldError("teacher: its output is no number on some image of train; look at its weights and the images")
    std = variance.sqrt()
    std = torch.where(std > 1e-6 * mean.abs().clamp(min=1e-6), std, torch.ones_like(std))
    return torch.stack([mean, std]).float()[:, :, None, None]


@torch.inference_mode()
def map_quantiles(network: StudentTeacher, images: Iterator[Float[Tensor, "B 3 S S"]]) -> Float[Tensor, "2 2"]:
    """Return the quantiles 0.9 and 0.995 of both maps over all pixels of good images (§3.4).

    Raises:
        WeldError: If a map is no number, or has no spread there.
    """
    network = network.to(find_device())
    counted = StreamQuantiles(), StreamQuantiles()
    for batch in images:
        for quantiles, maps in zip(counted, network.raw_maps(batch), strict=True):
            quantiles.add(maps.cpu().numpy())
    network.to("cpu")
    found = [quantiles.at(_QUANTILES) for quantiles in counted]
    for name, (low, high) in zip(("student's", "autoencoder's"), found, strict=True):
        if high <= low:
            raise WeldError(
                f"the {name} map of valid is {low:.3g} nearly everywhere: it cannot be brought to scale, and finds nothing; "
                "raise student.training.n_steps, or look whether the images are all of one level"
            )
    return torch.tensor(found)


@torch.inference_mode()
def autoencoder_error(network: StudentTeacher, images: Iterator[Float[Tensor, "B 3 S S"]]) -> float:
    """Return the autoencoder's mean squared error in units of its target's variance; 1 is what the mean alone would reach.

    Raises:
        WeldError: If the teacher's output has no variance.
    """
    network = network.to(find_device())
    squared_error, moments = 0.0, _ChannelMoments()
    for batch in images:
        targets = network.targets(batch).double()
        squared_error += float((network.autoencoder(batch) - targets).square().sum())
        moments.add(targets)
    network.to("cpu")
    variance = float(moments.mean_and_variance()[1].sum())
    if not variance > 0:
        raise WeldError(
            "teacher: says the same of all places of all images of valid; look whether they are all of one level"
        )
    return squared_error / moments.count / variance


class _ChannelMoments:
    """Mean and variance of each channel of maps that pass by.

    Attributes:
        count: Places seen.
    """

    def __init__(self) -> None:
        """Have seen nothing."""
        self.count, self._sums = 0, torch.zeros(2, 1, dtype=torch.float64)

    def add(self, maps: Float[Tensor, "B C h w"]) -> None:
        self.count += maps.shape[0] * maps.shape[2] * maps.shape[3]
        self._sums = self._sums + torch.stack([maps.sum(dim=(0, 2, 3)), maps.square().sum(dim=(0, 2, 3))]).cpu()

    def mean_and_variance(self) -> tuple[Float[Tensor, " C"], Float[Tensor, " C"]]:
        mean, of_squares = self._sums / self.count
        return mean, (of_squares - mean.square()).clamp(min=0)
