"""A trunk made ready to give patch features of many pictures on this machine."""

from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.features import MapTrunk
from weld_pipeline.nn.anomaly.patches import patch_features
from weld_pipeline.nn.compiled import CompiledModule

PatchReader = Callable[[Float[Tensor, "B 3 S S"]], Float[Tensor, "B P D"]]


def patch_reader(trunk: MapTrunk) -> PatchReader:
    """Return what gives the patches of normalised pictures, in float32.

    On a GPU the trunk moves there and the patches stay there; on a processor it is compiled by OpenVINO.

    Raises:
        WeldError: If a weight of the trunk is not finite; a compiled network need not pass it on.
    """
    _check_weights(trunk)
    if torch.cuda.is_available():
        rows = _PatchRows(trunk.to(device="cuda", memory_format=torch.channels_last))  # type: ignore[call-overload]
        return lambda pictures: _read(rows, pictures)
    side = trunk.architecture["crop_px"]
    compiled = CompiledModule(_PatchRows(trunk), torch.zeros(1, 3, side, side), precision="fp32")
    return lambda pictures: torch.from_numpy(compiled(pictures)[0])


def _check_weights(trunk: MapTrunk) -> None:
    for name, value in trunk.state_dict().items():
        if not torch.isfinite(value).all():
            raise WeldError(
                f"trunk {trunk.architecture['name']}: {name} holds values that are not finite, so would its features; fetch the weights again"
            )


class _PatchRows(nn.Module):
    def __init__(self, trunk: MapTrunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.eval()

    def forward(self, pictures: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B P D"]]:
        return (rearrange(patch_features(self.trunk, pictures), "b d h w -> b (h w) d"),)


def _read(rows: _PatchRows, pictures: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B P D"]:
    with torch.inference_mode():
        return rows(pictures.to("cuda", memory_format=torch.channels_last))[0]
