"""Trunk of a detector: normalised images in, the feature maps of chosen timm layers out."""

import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from timm.models import create_feature_extractor
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.image.trunk import ImageTrunk, load_image_trunk
from weld_pipeline.nn.state import load_tensors, saved_trunk
from weld_pipeline.nn.weights.choose import WeightsRecord

_TOKENS = 3  # dimensions of a transformer's output, [B, P, D]


class MapTrunk(nn.Module):
    """A timm network cut after the last of the chosen layers.

    Attributes:
        channels: C of each map.
        sizes: (h, w) of each map.
    """

    def __init__(
        self, *, name: str, crop_px: int, layers: Sequence[str], mean: Sequence[float], std: Sequence[float]
    ) -> None:
        """Build the network with the library's random weights.

        Args:
            name: Timm's name of the architecture, without a tag.
            layers: Names of the network's modules, such as layer2, blocks.4 or stages.1. Their maps come in the
                network's own order, the finest first.
            mean: Mean of each RGB channel, on [0, 1], that its weights were trained with.
            std: Standard deviation of each RGB channel, on [0, 1].

        Raises:
            WeldError: If timm has no such network, the network no such layer or none whose output is a map, or if images
                of this size do not go through it.
        """
        super().__init__()
        whole = ImageTrunk(name=name, crop_px=crop_px, mean=mean, std=std)
        self.architecture: dict[str, Any] = {**whole.architecture, "layers": list(layers)}
        self._n_prefix = int(getattr(whole.body, "num_prefix_tokens", 0))
        self._is_channels_last = getattr(whole.body, "output_fmt", "NCHW") == "NHWC"
        _check_patches(whole, crop_px)
        self.body = _cut(whole, layers)
        self.eval().requires_grad_(requires_grad=False)
        shapes = [tuple(each.shape) for each in self._dry_run(crop_px)]
        self.channels = tuple(shape[1] for shape in shapes)
        self.sizes = tuple((shape[2], shape[3]) for shape in shapes)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> list[Float[Tensor, "B _ _ _"]]:
        """Return the map of each layer, [B, C, h, w]."""
        return [self._as_map(output) for output in self.body(images).values()]

    def _as_map(self, output: Tensor) -> Float[Tensor, "B C h w"]:
        if output.ndim == _TOKENS:
            patches = output[:, self._n_prefix :]
            side = int(patches.shape[1] ** 0.5)
            return rearrange(patches, "b (h w) c -> b c h w", h=side)
        if output.ndim != 4:  # noqa: PLR2004 - B, C, h, w
            raise WeldError(
                f"trunk {self.architecture['name']}: the output {tuple(output.shape[1:])} of a layer is no map; name a layer before pooling"
            )
        return rearrange(output, "b h w c -> b c h w") if self._is_channels_last else output

    def _dry_run(self, crop_px: int) -> list[Float[Tensor, "1 _ _ _"]]:
        try:
            return self(torch.zeros(1, 3, crop_px, crop_px))
        except WeldError:
            raise
        except (RuntimeError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0]
            name = self.architecture["name"]
            raise WeldError(
                f"trunk {name}: images of {crop_px} px do not go through it ({reason}); set image.image_px to a size it takes"
            ) from error


def _check_patches(whole: ImageTrunk, crop_px: int) -> None:
    """Refuse a size whose border a transformer would silently ignore."""
    patch = getattr(getattr(whole.body, "patch_embed", None), "patch_size", None)
    if patch is not None and any(crop_px % side for side in patch):
        raise WeldError(
            f"trunk {whole.architecture['name']}: {crop_px} px are not a multiple of its patches of {patch[0]} px; "
            f"set image.image_px to {max(crop_px // patch[0], 1) * patch[0]}"
        )


def _cut(whole: ImageTrunk, layers: Sequence[str]) -> nn.Module:
    """Return the network up to the last of the layers; what follows is not computed."""
    name = whole.architecture["name"]
    known = [path for path, _ in whole.body.named_modules() if path]
    if not layers:
        raise WeldError(f"trunk {name}: no layer is named; name one or more of {_top(known)} in trunk.layers")
    for layer in layers:
        if layer not in known:
            close = get_close_matches(layer, known, n=4) or _top(known)
            raise WeldError(
                f"trunk {name} has no layer {layer!r}; set trunk.layers to some of its own, e.g. {', '.join(close)}"
            )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="NOTE: The nodes obtained by tracing")
        try:
            return create_feature_extractor(whole.body.eval(), {layer: layer for layer in layers})
        except ValueError as error:  # a part of a block that tracing takes as one
            raise WeldError(
                f"trunk {name}: {', '.join(layers)} cannot all be read, one lies inside a block that can only be read as a whole; "
                f"set trunk.layers to some of {', '.join(_top(known))}"
            ) from error


def _top(known: Sequence[str]) -> list[str]:
    """Return the names of stages and numbered blocks, which tracing finds in any network."""
    names = [path.split(".") for path in known]
    return [".".join(parts) for parts in names if len(parts) == 1 or (len(parts) == 2 and parts[1].isdigit())][:12]  # noqa: PLR2004


def load_map_trunk(
    name: str, *, layers: Sequence[str], image_px: int, weights: str, seed: int, folder: Path
) -> tuple[MapTrunk, WeightsRecord]:
    """Return a trunk that gives the maps of some layers, and the record of its weights.

    Args:
        name: Timm's name of the architecture, perhaps with a tag; see `nn.image.trunk.load_image_trunk`.
        weights: `auto`, `random`, a name or a path; see `weights.choose`.

    Raises:
        WeldError: If named weights cannot be had or do not fit, or there is no such network or layer.
    """
    whole, record = load_image_trunk(name, crop_px=image_px, weights=weights, seed=seed, folder=folder)
    trunk = MapTrunk(**whole.architecture, layers=layers)
    kept = trunk.body.state_dict().keys()
    trunk.body.load_state_dict({key: value for key, value in whole.body.state_dict().items() if key in kept})
    return trunk, record


def save_map_trunk(trunk: MapTrunk, record: WeightsRecord) -> SavedModel:
    """Return the trunk as a model file's content."""
    return saved_trunk(trunk, family="map_trunk", architecture=trunk.architecture, weights=record.as_dict())


def restore_map_trunk(model: SavedModel) -> MapTrunk:
    """Return the trunk a model file holds."""
    trunk = MapTrunk(**model.architecture)
    load_tensors(trunk, model.tensors)
    return trunk
