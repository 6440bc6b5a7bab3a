"""Student–teacher detector of EfficientAD: its networks, its maps and its score."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.maps import upsampled
from weld_pipeline.nn.anomaly.student_teacher.pdn import MARGIN, Autoencoder, PatchNetwork, Size
from weld_pipeline.nn.anomaly.student_teacher.teacher import build_teacher
from weld_pipeline.nn.state import load_tensors, tensors_of

# The lower quantile of a map becomes 0, the upper one this value (§3.4).
_HIGH = 0.1


class StudentTeacher(nn.Module):
    """Frozen teacher, student and autoencoder (Batzner et al. 2024, §3).

    Attributes:
        teacher_mean: Mean of each of the teacher's channels over the training images.
        teacher_std: Standard deviation of each of the teacher's channels over the training images.
        quantiles: Quantiles of both maps (student's, autoencoder's) on good images of valid; they become 0 and 0.1.
    """

    def __init__(self, *, image_px: int, size: Size, teacher: Mapping[str, Any], uses_autoencoder: bool = True) -> None:
        """Build the networks with random weights.

        Args:
            uses_autoencoder: Whether the final map is the mean of both maps, as in the paper, or the student's alone.
        """
        super().__init__()
        self.architecture: dict[str, Any] = {
            "image_px": image_px, "size": size, "teacher": dict(teacher), "uses_autoencoder": uses_autoencoder,
        }  # fmt: skip
        self.image_px, self.uses_autoencoder = image_px, uses_autoencoder
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

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B S S"]]:
        """Return the score of each image, which is the highest value of its map, and the map."""
        maps = self.combined(*self.raw_maps(images)) if self.uses_autoencoder else self._of_student(images)
        return maps.amax(dim=(1, 2)), maps

    def targets(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C h w"]:
        """Return the teacher's output, each channel with mean 0 and variance 1 over the training images."""
        return (self.teacher(images) - self.teacher_mean) / self.teacher_std

    def raw_maps(self, images: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B S S"], Float[Tensor, "B S S"]]:
        """Return the squared differences of teacher and student, and of autoencoder and student, not yet scaled."""
        imitated, predicted = self.student(images)
        local = self._as_map(self.targets(images) - imitated)
        return local, self._as_map(self.autoencoder(images) - predicted)

    def combined(self, local: Float[Tensor, "B S S"], overall: Float[Tensor, "B S S"]) -> Float[Tensor, "B S S"]:
        """Return the mean of the maps in use, each scaled by its quantiles."""
        of_student = self._scaled(local, 0)
        return (of_student + self._scaled(overall, 1)) / 2 if self.uses_autoencoder else of_student

    def _of_student(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B S S"]:
        imitating = self.student.parts[0]
        return self._scaled(self._as_map(self.targets(images) - imitating(self.student.body(images))), 0)

    def _scaled(self, maps: Float[Tensor, "B S S"], which: int) -> Float[Tensor, "B S S"]:
        low, high = self.quantiles[which]
        return (maps - low) * (_HIGH / (high - low))

    def _as_map(self, difference: Float[Tensor, "B C h w"]) -> Float[Tensor, "B S S"]:
        cells = difference.square().mean(dim=1)
        # The output lacks four cells of 4 px at each border. Zeros, as in other implementations, would hide a defect at the
        # border; the nearest known cell is the better guess.
        margin = (MARGIN,) * 4
        return upsampled(functional.pad(cells[:, None], margin, mode="replicate")[:, 0], self.image_px)


def save_student_teacher(
    network: StudentTeacher, *, training: Mapping[str, Any], provenance: Mapping[str, Any]
) -> SavedModel:
    """Return the detector as a model file's content."""
    return SavedModel("student_teacher", network.architecture, tensors_of(network), training, provenance)


def restore_student_teacher(model: SavedModel) -> StudentTeacher:
    """Return the detector a model file holds."""
    network = StudentTeacher(**model.architecture)
    load_tensors(network, model.tensors)
    return network.eval()
