"""Distilled teacher: a patch network taught by a pretrained trunk (Batzner et al. 2024, §3.1 and algorithm 3)."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_teacher.batches import TileRows, step_batches
from weld_pipeline.nn.anomaly.student_teacher.fit import check_normalisation, prepared_batches
from weld_pipeline.nn.anomaly.student_teacher.last_layer import least_squares_layer
from weld_pipeline.nn.anomaly.student_teacher.learner import StudentSteps
from weld_pipeline.nn.anomaly.student_teacher.pdn import PatchNetwork, Size
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import PenaltyImages
from weld_pipeline.nn.anomaly.student_teacher.statistics import channel_statistics
from weld_pipeline.nn.anomaly.student_teacher.teacher import (
    PatchTeacher,
    SliceTeacher,
    check_teacher_size,
    restore_teacher,
    save_teacher,
    statistics_of,
)
from weld_pipeline.nn.device import find_device
from weld_pipeline.nn.state import load_tensors, tensors_of
from weld_pipeline.nn.training.batches import in_order
from weld_pipeline.nn.training.curves import Curves, curves_of
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import TrainingPlan, train

# Raise it when a code change changes a distilled network; it is part of every key.
DISTILLING_VERSION = 1
_VALID_BATCH = 8
_REFIT_BATCH = 2  # images of each half


class DistilLearner(pl.LightningModule):
    """Minimises the mean squared difference of the patch network and the trunk's normalised maps; logs `valid_loss`."""

    def __init__(
        self,
        network: PatchNetwork,
        *,
        slices: SliceTeacher,
        statistics: Float[Tensor, "2 C 1 1"],
        preprocess: MapPreprocess,
        steps: StudentSteps,
    ) -> None:
        """Take both networks; `statistics` are mean and standard deviation of the slices' channels."""
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.slices = slices
        self.preprocess = preprocess
        self.steps = steps
        self.statistics: Tensor
        self.register_buffer("statistics", statistics)

    def training_step(self, batch: Sequence[Tensor]) -> Float[Tensor, ""]:
        return self.squared_error(torch.cat(list(batch)))

    def validation_step(self, prepared: Tensor) -> None:
        self.log("valid_loss", self.squared_error(prepared), batch_size=len(prepared))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.network.parameters(), lr=self.steps.learning_rate, weight_decay=self.steps.weight_decay, fused=True
        )

    def example(self, prepared: Tensor) -> tuple[Float[Tensor, "B 3 S S"], Float[Tensor, "B C h w"]]:
        """Return normalised images and the targets of the network."""
        images = self.preprocess.normalise(prepared)
        with torch.no_grad():
            mean, std = self.statistics
            return images, (self.slices.whole(images) - mean) / std

    def squared_error(self, prepared: Tensor) -> Float[Tensor, ""]:
        """Return the mean squared difference of output and targets."""
        images, targets = self.example(prepared)
        return (self.network(images)[0] - targets).square().mean()


def distill_teacher(
    slices: SavedModel,
    train_tiles: GoodTiles,
    valid_tiles: GoodTiles,
    *,
    size: Size,
    preprocess: MapPreprocess,
    penalty_images: PenaltyImages,
    steps: StudentSteps,
    refit_images: int,
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return a teacher, a patch network that describes patches as a trunk's maps do, and its losses.

    Half of each batch are good images and half are penalty images, so that it also describes what no good image shows.
    The paper distils from ImageNet alone, and the trunk sees images of twice the side; here both networks see the same
    images. As in the paper, the network is padded only while it is distilled; that moves nothing inside the image.

    After few steps the last convolution is still far from its best. Least squares solves for it at once, and the result
    is kept if it is closer on valid. On 130 magnetic tiles at 128 px, after 100 steps with MobileNetV2, the mean squared
    error on valid was 0.59 before and 0.46 after; a constant output has 0.73.

    Args:
        slices: Slice teacher from `find_teacher.choose_teacher`.
        valid_tiles: Good tiles of the valid split, which the best epoch is chosen on.
        preprocess: Preprocessing of the images, with the trunk's mean and standard deviation.
        steps: Settings of the training; `batch_size` images of each half a step, `p_hard` is not used.
        refit_images: Number of images that the last convolution is solved for; 0 leaves it as trained, as in the paper.

    Raises:
        WeldError: If there are no good images, if they are too small or were prepared with other settings, or if the loss
            is no number.
    """
    check_teacher_size(slices, preprocess.image_px)
    check_normalisation(slices, preprocess)
    for tiles in (train_tiles, valid_tiles):
        tiles.check(preprocess.image_px, preprocess.n_channels)
    maps = restore_teacher(slices).to(find_device())
    assert isinstance(maps, SliceTeacher)
    statistics = channel_statistics(maps.whole, _both_halves(train_tiles, penalty_images, preprocess))
    mean, std = statistics_of(slices.architecture)
    architecture: dict[str, Any] = {"size": size, "n_channels": maps.n_channels, "mean": mean, "std": std}

    def build() -> DistilLearner:
        network = PatchNetwork(size=size, n_channels=maps.n_channels, n_parts=1, padding=True)
        return DistilLearner(network, slices=maps, statistics=statistics, preprocess=preprocess, steps=steps)

    data = {"train": train_tiles.digest(), "valid": valid_tiles.digest(), "slices": slices.provenance["fingerprint"]}
    provenance: dict[str, Any] = data | {
        "penalty_images": penalty_images.describe(),
        "preprocess": preprocess.architecture,
    }
    trained = train(
        build,
        batches=step_batches(
            train_tiles, penalty_images, n_steps=steps.epoch_steps, batch_size=steps.batch_size, seed=steps.seed
        ),
        valid_batches=in_order(TileRows(valid_tiles), len(valid_tiles), batch_size=_VALID_BATCH),
        plan=TrainingPlan(steps.n_epochs, steps.n_epochs, monitor="valid_loss", mode="min", seed=steps.seed),
        folder=folder,
        key=content_key(DISTILLING_VERSION, provenance, architecture, asdict(steps)),
        accelerator="auto",
    )
    learner = build().eval()
    load_tensors(learner.network, trained.state)
    if refit_images:
        n_steps = -(-refit_images // (2 * _REFIT_BATCH))
        halves = step_batches(train_tiles, penalty_images, n_steps=n_steps, batch_size=_REFIT_BATCH, seed=steps.seed)
        provenance["valid_error"] = _refit(
            learner.to(find_device()), map(torch.cat, halves), valid_tiles, seed=steps.seed
        )
    teacher = PatchTeacher(**architecture)
    load_tensors(teacher.network, tensors_of(learner.network.cpu()))
    return save_teacher(teacher, weights=slices.provenance["weights"], distilled=provenance), curves_of(trained)


def _refit(learner: DistilLearner, batches: Iterable[Tensor], valid_tiles: GoodTiles, *, seed: int) -> dict[str, float]:
    """Use the least-squares layer if it is closer on valid; return the mean squared error there without and with it."""

    def error() -> float:
        with torch.inference_mode():
            valid = (torch.from_numpy(batch) for batch in valid_tiles.batches(_VALID_BATCH))
            sums = [float(learner.squared_error(batch.to(learner.device))) * len(batch) for batch in valid]
        return sum(sums) / len(valid_tiles)

    (part,) = learner.network.parts
    before, by_steps = error(), copy.deepcopy(part.state_dict())
    weight, bias = least_squares_layer(
        learner.network, (learner.example(batch.to(learner.device)) for batch in batches), seed=seed
    )
    part.load_state_dict({"weight": weight, "bias": bias})
    after = error()
    if not after < before:
        part.load_state_dict(by_steps)
    return {"by_steps": before, "by_least_squares": after}


def _both_halves(
    train_tiles: GoodTiles, penalty_images: PenaltyImages, preprocess: MapPreprocess
) -> Iterator[Float[Tensor, "B 3 S S"]]:
    """Yield the good tiles and as many penalty images, since the network is distilled on both."""
    place = 0
    for images in prepared_batches(train_tiles, preprocess):
        yield images
        others = np.stack([penalty_images[place + row] for row in range(len(images))])
        yield preprocess.normalise(torch.from_numpy(others)).to(images.device)
        place += len(images)
