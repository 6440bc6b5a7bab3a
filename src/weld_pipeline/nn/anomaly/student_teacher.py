"""The detector of EfficientAD: a student that failed to learn what it never saw, and an autoencoder for the whole."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.nn.anomaly.maps import upsampled
from weld_pipeline.nn.anomaly.pdn import MARGIN, Autoencoder, PatchNetwork, Size
from weld_pipeline.nn.anomaly.teacher import build_teacher
from weld_pipeline.nn.checkpoints import SavedModel
from weld_pipeline.nn.state import load_tensors, tensors_of

# What the two quantiles of a map become (§3.4).
_HIGH = 0.1


class StudentTeacher(nn.Module):
    """Frozen teacher, student and autoencoder (Batzner et al. 2024, §3).

    Attributes:
        architecture: The arguments it was built with.
        teacher_mean: Of each of the teacher's channels over the training pictures.
        teacher_std: Likewise.
        quantiles: Of the two maps (student's, autoencoder's) on valid good pictures: what becomes 0, what becomes 0.1.
    """

    def __init__(self, *, image_px: int, size: Size, teacher: Mapping[str, Any]) -> None:
        """Build the networks with random weights.

        Args:
            image_px: S.
            size: Of the student.
            teacher: Architecture of a teacher.
        """
        super().__init__()
        self.architecture: dict[str, Any] = {"image_px": image_px, "size": size, "teacher": dict(teacher)}
        self.image_px = image_px
        self.teacher = build_teacher(teacher)
        n_channels = self.teacher.n_channels
        self.student = PatchNetwork(size=size, n_channels=n_channels, n_parts=2, padding=False)
        self.autoencoder = Autoencoder(image_px=image_px, n_channels=n_channels)
        self.teacher_mean: Tensor
        self.teacher_std: Tensor
        self.quantiles: Tensor
        self.register_buffer("teacher_mean", torch.zeros(1, n_channels, 1, 1))
        self.register_buffer("teacher_std", torch.ones(1, n_channels, 1, 1))
        self.register_buffer("quantiles", torch.tensor([[0.0, 1.0], [0.0, 1.0]]))

    def train(self, mode: bool = True) -> "StudentTeacher":
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, pictures: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B S S"]]:
        """Return the score of each picture, the highest value of its map, and the map."""
        maps = self.combined(*self.raw_maps(pictures))
        return maps.amax(dim=(1, 2)), maps

    def targets(self, pictures: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C h w"]:
        """Return the teacher's output, each channel with mean 0 and variance 1 over the training pictures."""
        return (self.teacher(pictures) - self.teacher_mean) / self.teacher_std

    def raw_maps(self, pictures: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B S S"], Float[Tensor, "B S S"]]:
        """Return the squared difference of teacher and student, and of autoencoder and student, not yet normalised."""
        imitated, foreseen = self.student(pictures)
        local = self._as_map(self.targets(pictures) - imitated)
        return local, self._as_map(self.autoencoder(pictures) - foreseen)

    def combined(self, local: Float[Tensor, "B S S"], overall: Float[Tensor, "B S S"]) -> Float[Tensor, "B S S"]:
        """Return the mean of both maps, brought to one scale by their quantiles."""
        low, high = self.quantiles[:, 0], self.quantiles[:, 1]
        scale = _HIGH / (high - low)
        return ((local - low[0]) * scale[0] + (overall - low[1]) * scale[1]) / 2

    def _as_map(self, difference: Float[Tensor, "B C h w"]) -> Float[Tensor, "B S S"]:
        cells = difference.square().mean(dim=1)
        # The output lacks four cells of 4 px at each border. Zeros there, as other implementations have it, would call a
        # defect at the border good; the nearest patch that was seen is the better guess.
        margin = (MARGIN,) * 4
        return upsampled(functional.pad(cells[:, None], margin, mode="replicate")[:, 0], self.image_px)


def save_student_teacher(
    network: StudentTeacher, *, training: Mapping[str, Any], provenance: Mapping[str, Any]
) -> SavedModel:
    """Return the detector as a model file's content."""
    return SavedModel("student_teacher", network.architecture, tensors_of(network), training, provenance)


def restore_student_teacher(model: SavedModel) -> StudentTeacher:
    """Return the detector a model file holds, ready for use."""
    network = StudentTeacher(**model.architecture)
    load_tensors(network, model.tensors)
    return network.eval()
