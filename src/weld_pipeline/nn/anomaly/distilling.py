"""A patch network taught by a pretrained trunk (Batzner et al. 2024, §3.1 and algorithm 3)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.core.files import content_key
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.out_of_domain import OutOfDomain
from weld_pipeline.nn.anomaly.pdn import PatchNetwork, Size
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_batches import TileRows, step_batches
from weld_pipeline.nn.anomaly.student_fitting import channel_statistics, check_normalisation, device, prepared_batches
from weld_pipeline.nn.anomaly.student_learner import StudentSteps
from weld_pipeline.nn.anomaly.teacher import (
    PatchTeacher,
    SliceTeacher,
    check_teacher_size,
    restore_teacher,
    save_teacher,
    statistics_of,
)
from weld_pipeline.nn.checkpoints import SavedModel
from weld_pipeline.nn.fitting import Curves, curves_of
from weld_pipeline.nn.state import load_tensors
from weld_pipeline.nn.training import TrainingPlan, in_order, train
from weld_pipeline.nn.training_folder import TrainingFolder

# Raise it when a change of the code changes what is distilled; it is part of every key.
DISTILLING_VERSION = 1
_VALID_BATCH = 8


class DistilLearner(pl.LightningModule):
    """Mean squared difference of the patch network and the trunk's normalised maps; logs `valid_loss`."""

    def __init__(
        self,
        network: PatchNetwork,
        *,
        slices: SliceTeacher,
        statistics: Float[Tensor, "2 C 1 1"],
        preprocess: MapPreprocess,
        steps: StudentSteps,
    ) -> None:
        """Take both networks, and mean and standard deviation of the slices' channels."""
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.slices = slices
        self.preprocess = preprocess
        self.steps = steps
        self.statistics: Tensor
        self.register_buffer("statistics", statistics)

    def training_step(self, batch: Sequence[Tensor]) -> Float[Tensor, ""]:
        return self._loss(torch.cat(list(batch)))

    def validation_step(self, prepared: Tensor) -> None:
        self.log("valid_loss", self._loss(prepared), batch_size=len(prepared))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.network.parameters(), lr=self.steps.learning_rate, weight_decay=self.steps.weight_decay, fused=True
        )

    def _loss(self, prepared: Tensor) -> Float[Tensor, ""]:
        pictures = self.preprocess.normalise(prepared)
        with torch.no_grad():
            mean, std = self.statistics
            targets = (self.slices.whole(pictures) - mean) / std
        return (self.network(pictures)[0] - targets).square().mean()


def distill_teacher(
    slices: SavedModel,
    learnt: GoodTiles,
    chosen_on: GoodTiles,
    *,
    size: Size,
    preprocess: MapPreprocess,
    elsewhere: OutOfDomain,
    steps: StudentSteps,
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return a patch network that describes patches as a trunk's maps do, as a teacher, and its losses.

    Half of each batch are good pictures, half come from elsewhere, so that it also describes what no good picture shows.
    The paper distils from ImageNet alone, at twice the side for the trunk; here both see the same pictures. As in the
    paper, the network is padded while it is distilled and not afterwards, which moves nothing inside the picture.

    Args:
        slices: From `teacher.choose_teacher(kind="slices")`.
        learnt: Of the train split.
        chosen_on: Of the valid split; the best epoch is chosen on them.
        size: Of the patch network.
        preprocess: How the pictures were prepared, with the trunk's mean and spread.
        elsewhere: The other half.
        steps: How it learns; `batch_size` pictures of each half a step, `p_hard` is not used.
        folder: For its checkpoints.

    Raises:
        WeldError: If there are no good pictures, if they are too small or were prepared otherwise, or if the loss is no number.
    """
    check_teacher_size(slices, preprocess.image_px)
    check_normalisation(slices, preprocess)
    for tiles in (learnt, chosen_on):
        tiles.check(preprocess.image_px, preprocess.n_channels)
    maps = restore_teacher(slices).to(device())
    assert isinstance(maps, SliceTeacher)
    statistics = channel_statistics(maps.whole, _both_halves(learnt, elsewhere, preprocess))
    mean, std = statistics_of(slices.architecture)
    architecture: dict[str, Any] = {"size": size, "n_channels": maps.n_channels, "mean": mean, "std": std}

    def build() -> DistilLearner:
        network = PatchNetwork(size=size, n_channels=maps.n_channels, n_parts=1, padding=True)
        return DistilLearner(network, slices=maps, statistics=statistics, preprocess=preprocess, steps=steps)

    data = {"train": learnt.digest(), "valid": chosen_on.digest(), "slices": slices.provenance["fingerprint"]}
    provenance = data | {"elsewhere": elsewhere.describe(), "preprocess": preprocess.architecture}
    trained = train(
        build,
        batches=step_batches(
            learnt, elsewhere, n_steps=steps.epoch_steps, batch_size=steps.batch_size, seed=steps.seed
        ),
        valid_batches=in_order(TileRows(chosen_on), len(chosen_on), batch_size=_VALID_BATCH),
        plan=TrainingPlan(steps.n_epochs, steps.n_epochs, monitor="valid_loss", mode="min", seed=steps.seed),
        folder=folder,
        key=content_key(DISTILLING_VERSION, provenance, architecture, asdict(steps)),
        accelerator="auto",
    )
    teacher = PatchTeacher(**architecture)
    found = {name: value.numpy() for name, value in trained.state.items() if name.startswith("network.")}
    load_tensors(teacher, found)
    return save_teacher(teacher, weights=slices.provenance["weights"], distilled=provenance), curves_of(trained)


def _both_halves(
    learnt: GoodTiles, elsewhere: OutOfDomain, preprocess: MapPreprocess
) -> Iterator[Float[Tensor, "B 3 S S"]]:
    """Yield the good tiles, and as many pictures from elsewhere: what is distilled has the spread of both."""
    place = 0
    for pictures in prepared_batches(learnt, preprocess):
        yield pictures
        others = np.stack([elsewhere[place + row] for row in range(len(pictures))])
        yield preprocess.normalise(torch.from_numpy(others)).to(pictures.device)
        place += len(pictures)
