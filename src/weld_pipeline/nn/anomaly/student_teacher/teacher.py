"""Teachers of a student: a distilled patch network, or the maps of a pretrained trunk."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.student_teacher.pdn import CELL_PX, MARGIN, PatchNetwork, Size, grid_side, pooling_matrix
from weld_pipeline.nn.anomaly.trunk import MapTrunk
from weld_pipeline.nn.state import fingerprint, load_tensors, tensors_of


class PatchTeacher(nn.Module):
    """A distilled patch network."""

    def __init__(self, *, size: Size, n_channels: int, mean: list[float], std: list[float]) -> None:
        """Build the network.

        Args:
            mean: Mean of each RGB channel, on [0, 1], of the images it was trained on.
            std: Standard deviation of each RGB channel, on [0, 1].
        """
        super().__init__()
        self.architecture: dict[str, Any] = {
            "kind": "pdn", "size": size, "n_channels": n_channels, "mean": mean, "std": std,
        }  # fmt: skip
        self.n_channels = n_channels
        self.network = PatchNetwork(size=size, n_channels=n_channels, n_parts=1, padding=False)
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C h w"]:
        """Return the description of each patch."""
        return self.network(images)[0]


class SliceTeacher(nn.Module):
    """Maps of a trunk's layers on the patch network's grid, smoothed over 3 × 3 cells, channels pooled to C.

    The paper distils from this aggregation (algorithm 3, that of PatchCore); here it is used without distilling. If the
    layers have fewer than C channels together, all are kept and none is repeated.
    """

    def __init__(self, *, trunk: Mapping[str, Any], n_channels: int) -> None:
        """Build the trunk with the library's random weights.

        Args:
            trunk: Architecture of a `MapTrunk`.
            n_channels: C, at most.
        """
        super().__init__()
        self.trunk = MapTrunk(**trunk)
        n_found = sum(self.trunk.channels)
        self.n_channels = min(n_channels, n_found)
        self.architecture: dict[str, Any] = {
            "kind": "slices", "trunk": dict(self.trunk.architecture), "n_channels": self.n_channels,
        }  # fmt: skip
        self._side = trunk["crop_px"] // CELL_PX
        matrices = torch.split(pooling_matrix(n_found, self.n_channels), list(self.trunk.channels), dim=1)
        for place, matrix in enumerate(matrices):
            self.register_buffer(f"_pooling_{place}", matrix[:, :, None, None].contiguous(), persistent=False)
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C h w"]:
        """Return the maps on the cells of a patch network without padding."""
        return self.whole(images)[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]

    def whole(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C s s"]:
        """Return the maps on a grid of 4 px over the whole image.

        Channels are pooled before maps are enlarged. Both steps are linear, and this order costs a hundredth.
        """
        size = (self._side, self._side)
        pooled = [
            functional.interpolate(
                functional.conv2d(found, self.get_buffer(f"_pooling_{place}")),
                size,
                mode="bilinear",
                align_corners=False,
            )
            for place, found in enumerate(self.trunk(images))
        ]
        total = torch.stack(pooled).sum(dim=0)
        return functional.avg_pool2d(total, 3, stride=1, padding=1, count_include_pad=False)


Teacher = PatchTeacher | SliceTeacher


def build_teacher(architecture: Mapping[str, Any]) -> Teacher:
    """Return a teacher without its weights."""
    arguments = {name: value for name, value in architecture.items() if name != "kind"}
    return PatchTeacher(**arguments) if architecture["kind"] == "pdn" else SliceTeacher(**arguments)


def statistics_of(architecture: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each RGB channel, on [0, 1], of a teacher's images."""
    holder = architecture["trunk"] if architecture["kind"] == "slices" else architecture
    return holder["mean"], holder["std"]


def save_teacher(teacher: Teacher, **provenance: Any) -> SavedModel:
    """Return a teacher as a model file's content."""
    return SavedModel(
        family="teacher",
        architecture=teacher.architecture,
        tensors=tensors_of(teacher),
        provenance={"fingerprint": fingerprint(teacher), **provenance},
    )


def restore_teacher(model: SavedModel) -> Teacher:
    """Return the teacher a model file holds."""
    teacher = build_teacher(model.architecture)
    load_tensors(teacher, model.tensors)
    return teacher


def check_teacher_size(teacher: SavedModel, image_px: int) -> int:
    """Return the side of the teacher's output for a size of images [cells].

    Raises:
        WeldError: If its trunk was built for another size, or the networks cannot take this size.
    """
    side = grid_side(image_px)
    built = teacher.architecture.get("trunk", {}).get("crop_px", image_px)
    if built != image_px:
        raise WeldError(
            f"teacher was built for {built} px, not {image_px}; run the pipeline again from `load_trunk` on"
        )
    return side
