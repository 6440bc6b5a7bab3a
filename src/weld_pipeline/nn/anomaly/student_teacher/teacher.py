"""Teachers of the student: a distilled patch network, or the maps of a pretrained trunk as they are."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.student_teacher.pdn import CELL_PX, MARGIN, PatchNetwork, Size, grid_side, pooling_matrix
from weld_pipeline.nn.anomaly.trunk import MapTrunk
from weld_pipeline.nn.state import fingerprint, load_tensors, tensors_of
from weld_pipeline.nn.weights.choose import Found, read_tensors

N_CHANNELS = 384
# The published distilled networks, and their images, are of ImageNet.
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


class PatchTeacher(nn.Module):
    """A distilled patch network.

    Attributes:
        architecture: The arguments it was built with.
        n_channels: C.
    """

    def __init__(self, *, size: Size, n_channels: int, mean: list[float], std: list[float]) -> None:
        """Build the network.

        Args:
            size: Of the patch network.
            n_channels: C.
            mean: Per RGB channel, on [0, 1], of the images it was made with.
            std: Per RGB channel, on [0, 1].
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

    The aggregation the paper distils from (its algorithm 3: that of PatchCore), used without distilling. Where the layers
    have fewer than C channels together, they are all kept and none is repeated.

    Attributes:
        architecture: The arguments it was built with.
        n_channels: C.
    """

    def __init__(self, *, trunk: Mapping[str, Any], n_channels: int) -> None:
        """Build the trunk with whatever random weights the library gives it.

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
        """Return the maps where a patch network without padding has its output."""
        return self.whole(images)[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]

    def whole(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B C s s"]:
        """Return the maps on a grid of 4 px over the whole image.

        Channels are pooled before maps are enlarged: both are linear and one costs a hundredth of the other.
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
    """Return mean and standard deviation per RGB channel, on [0, 1], that a teacher's images are normalised with."""
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


def teacher_kind(
    kind: Literal["auto", "pdn", "distilled", "slices"], *, size: Size, weights: str, folder: Path
) -> Literal["pdn", "distilled", "slices"]:
    """Return which teacher `auto` is: a patch network if its file is there, else one distilled here.

    A student describes patches of 33 px and can say little of maps whose cells have seen half the image. On 28
    hazelnuts at 128 px with MobileNetV2's blocks.2 and blocks.4, 100 steps of distilling and 200 of the student found
    defects at a pixel AUROC of 0.987 (relative error 0.04); 400 steps on the trunk's own maps took as long and reached
    0.942 (0.51).

    Args:
        kind: As it is asked for.
        size: Of the patch network.
        weights: See `choose_teacher`.
        folder: Where pretrained files lie.
    """
    if kind != "auto":
        return kind
    return "distilled" if _find(size, weights, folder) is None else "pdn"


def choose_teacher(
    kind: Literal["pdn", "slices"],
    *,
    trunk: SavedModel,
    size: Size,
    weights: str,
    folder: Path,
    n_channels: int = N_CHANNELS,
) -> SavedModel:
    """Return a teacher that needs no training; see `distilling.distill_teacher` for one that does.

    Args:
        kind: Which; see `teacher_kind`.
        trunk: A saved `MapTrunk`, for `slices`.
        size: Of the patch network, for `pdn`.
        weights: Path of a patch network's tensors, or `auto` for `pdn_<size>.safetensors` or `.pth` in the folder.
        folder: Where pretrained files lie.
        n_channels: C.

    Raises:
        WeldError: If a patch network is asked for and is not there, or its file does not fit.
    """
    if kind == "pdn":
        path = _find(size, weights, folder)
        if path is not None:
            return read_patch_teacher(path, size=size, n_channels=n_channels)
        raise WeldError(
            f"teacher pdn: {folder} holds no pdn_{size}.safetensors; put a distilled patch network there, name its path in "
            "teacher.weights, or set teacher.kind to slices or distilled"
        )
    teacher = SliceTeacher(trunk=trunk.architecture, n_channels=n_channels)
    load_tensors(teacher.trunk, trunk.tensors)
    return save_teacher(teacher, weights=trunk.provenance["weights"])


def _find(size: Size, weights: str, folder: Path) -> Path | None:
    if weights != "auto":
        return Path(weights)
    names = (f"pdn_{size}.safetensors", f"pdn_{size}.pth")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_patch_teacher(path: Path, *, size: Size, n_channels: int = N_CHANNELS) -> SavedModel:
    """Return a patch network from a file of tensors, ours or a published one.

    Names differ from one implementation to the next (`conv1.weight`, `0.weight`), the order of layers does not.

    Raises:
        WeldError: If the file cannot be read as tensors, or its convolutions are others.
    """
    teacher = PatchTeacher(size=size, n_channels=n_channels, **_IMAGENET)
    wanted = tensors_of(teacher)
    found = {name: value.numpy() for name, value in read_tensors(path).items()}
    shapes = [value.shape for value in wanted.values()]
    if [value.shape for value in _in_order(found).values()] != shapes:
        raise WeldError(
            f"weights {path}: are not those of a patch network of size {size} with {n_channels} channels "
            f"({len(found)} tensors); set student.size to the other, or name another file"
        )
    load_tensors(teacher, dict(zip(wanted, _in_order(found).values(), strict=True)))
    record = Found(str(path), path, source=str(path), licence="unknown", line=None).record()
    return save_teacher(teacher, weights=record.as_dict())


def _in_order(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return tensors by layer, each layer's weight before its bias."""

    def place(name: str) -> tuple[Any, ...]:
        layer, _, kind = name.rpartition(".")
        # Ours end in `parts.0`, which must come after `body.<n>`.
        return "parts" in layer, [int(digits) for digits in re.findall(r"\d+", layer)], kind == "bias"

    return {name: tensors[name] for name in sorted(tensors, key=place)}


def check_teacher_size(teacher: SavedModel, image_px: int) -> int:
    """Return the side of the teacher's output for images of a size [cells].

    Raises:
        WeldError: If its trunk was built for another size, or the size does not go through.
    """
    side = grid_side(image_px)
    built = teacher.architecture.get("trunk", {}).get("crop_px", image_px)
    if built != image_px:
        raise WeldError(f"teacher was built for {built} px, not {image_px}; run the pipeline from its trunk on")
    return side
