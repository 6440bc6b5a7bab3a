"""Patch reader: a trunk made ready to compute patch features of many images on this machine."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.patches import PatchFeatures
from weld_pipeline.nn.anomaly.trunk import MapTrunk
from weld_pipeline.nn.compiled import CompiledModule
from weld_pipeline.nn.device import find_device

PatchReader = Callable[[Float[Tensor, "B 3 S S"]], Float[Tensor, "B P D"]]

# On two cores compiling takes the time it saves on 76 images (mobilenetv2_100), 55 (wide_resnet50_2) or more (a ViT).
# Torch reads the first images, half of the least of these, so that neither few nor many images pay for both.
_BY_TORCH = 28


def patch_reader(trunk: MapTrunk, features: PatchFeatures) -> PatchReader:
    """Return the reader: normalised images → their patches in float32.

    The trunk belongs to the reader until `at_rest`. On a GPU, trunk and patches stay there. On a processor, torch reads
    the first images; OpenVINO compiles the trunk once there are more.

    Raises:
        WeldError: If a weight of the trunk is not finite. A compiled network may hide that.
    """
    _check_weights(trunk)
    rows = _PatchRows(trunk, features)
    return _on_gpu(rows) if find_device() == "cuda" else _OnProcessor(rows)


def at_rest(trunk: MapTrunk) -> MapTrunk:
    """Return a reader's trunk as it was before: on the processor, weights in their usual memory order."""
    rested: MapTrunk = trunk.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return rested


def _check_weights(trunk: MapTrunk) -> None:
    for name, value in trunk.state_dict().items():
        if not torch.isfinite(value).all():
            raise WeldError(
                f"trunk {trunk.architecture['name']}: {name} holds values that are not finite; fetch the weights again"
            )


class _PatchRows(nn.Module):
    def __init__(self, trunk: MapTrunk, features: PatchFeatures) -> None:
        super().__init__()
        self.trunk, self._features = trunk, features
        self.eval()

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B P D"]]:
        return (self._features(self.trunk, images),)


def _on_gpu(rows: _PatchRows) -> PatchReader:
    rows = rows.to(device="cuda", memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def read(images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B P D"]:
        (patches,) = rows(images.to("cuda", memory_format=torch.channels_last))
        return patches

    return read


class _OnProcessor:
    def __init__(self, rows: _PatchRows) -> None:
        self._rows, self._n_read = rows.to(memory_format=torch.channels_last), 0
        self._compiled: CompiledModule | None = None

    def __call__(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B P D"]:
        self._n_read += len(images)
        if self._n_read <= _BY_TORCH:
            with torch.inference_mode():
                return self._rows(images.to(memory_format=torch.channels_last))[0].contiguous()
        if self._compiled is None:
            self._compiled = CompiledModule(self._rows, torch.zeros_like(images[:1]), precision="fp32")
        return torch.from_numpy(self._compiled(images)[0])
