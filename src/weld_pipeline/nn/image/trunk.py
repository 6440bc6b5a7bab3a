"""Trunk of an image classifier: a timm network, images in, pooled embedding out."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from jaxtyping import Float
from timm.models import group_parameters
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.state import fingerprint, saved_trunk
from weld_pipeline.nn.weights import choose as pretrained
from weld_pipeline.nn.weights.choose import Found, WeightsRecord
from weld_pipeline.nn.weights.packages import packaged_trunk_advice
from weld_pipeline.nn.weights.table import check_image_trunk, default_image_line, image_line, image_statistics

logger = logging.getLogger(__name__)


class ImageTrunk(nn.Module):
    """A timm network without its classifier."""

    def __init__(self, *, name: str, crop_px: int, mean: Sequence[float], std: Sequence[float]) -> None:
        """Build the network with the library's random weights.

        Args:
            name: Timm's name of the architecture, without a tag.
            crop_px: Side of the images; some networks are built for one size.
            mean: Mean of each RGB channel, on [0, 1], that its weights were trained with.
            std: Standard deviation of each RGB channel, on [0, 1].

        Raises:
            WeldError: If timm has no such network.
        """
        super().__init__()
        check_image_trunk(name)
        self.architecture: dict[str, Any] = {
            "name": name,
            "crop_px": crop_px,
            "mean": [float(value) for value in mean],
            "std": [float(value) for value in std],
        }
        body = _create(name, crop_px)
        self.body: nn.Module = body
        self.embedding_size = int(getattr(body, "head_hidden_size", None) or body.num_features)

    def forward(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B D"]:
        """Return the embedding of normalised images."""
        return self.body(images)


def _create(name: str, crop_px: int) -> Any:
    config = timm.get_pretrained_cfg(name)
    size: dict[str, Any] = {"img_size": crop_px} if config is not None and config.fixed_input_size else {}
    return timm.create_model(name, pretrained=False, num_classes=0, **size)


def load_image_trunk(
    name: str, *, crop_px: int, weights: str, seed: int, folder: Path
) -> tuple[ImageTrunk, WeightsRecord]:
    """Return a trunk and the record of its weights.

    Args:
        name: Timm's name of the architecture. With a tag, `auto` looks for the weights of that tag, else for timm's
            default.
        weights: `auto`, `random`, a name or a path; see `weights.choose`.

    Raises:
        WeldError: If named weights cannot be had or do not fit.
    """
    architecture, _, tag = name.partition(".")
    default = image_line(name) if tag else default_image_line(architecture)
    found = pretrained.choose(architecture, weights, folder, default, way_out=packaged_trunk_advice())
    line = found.line if found else None
    mean, std = (line.mean, line.std) if line else image_statistics(architecture)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = ImageTrunk(name=architecture, crop_px=crop_px, mean=mean, std=std)
    if found is None:
        record = WeightsRecord(
            f"{architecture}.random", f"torch seed {seed}", fingerprint(trunk), "none", is_random=True, seed=seed
        )
        return trunk, record
    _fill(trunk, architecture, found)
    _warn_if_folded(trunk, found.name)
    return trunk, found.record()


def _fill(trunk: ImageTrunk, name: str, found: Found) -> None:
    """Load every tensor but the classifier's, which may be of another width or absent."""
    config = timm.get_pretrained_cfg(name)
    classifier = (config.classifier if config else None) or ()
    ends = tuple(f"{part}." for part in ([classifier] if isinstance(classifier, str) else classifier))
    tensors = {key: value for key, value in found.tensors().items() if not key.startswith(ends)}
    try:
        trunk.body.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise WeldError(f"weights {found.path}: do not fit trunk {name} ({reason}); name weights of {name}") from error


def _warn_if_folded(trunk: ImageTrunk, name: str) -> None:
    buffers = trunk.named_buffers()
    untouched = {"running_mean": 0, "running_var": 1}  # initial values of a batch norm
    kinds = [(untouched[kind], value) for path, value in buffers if (kind := path.rpartition(".")[2]) in untouched]
    if kinds and all(bool((value == start).all()) for start, value in kinds):
        logger.warning(
            "weights %s: batch norms hold no statistics, they were folded into the convolutions; set training.batch_norm "
            "to freeze, or the first step undoes what the weights learned",
            name,
        )


def stages(body: Any) -> list[list[str]]:
    """Return the names of a network's parameters by stage: its stem first, then timm's coarse groups.

    Raises:
        WeldError: If timm has no groups for the network.
    """
    if not hasattr(body, "group_matcher"):
        raise WeldError(f"trunk {type(body).__name__} has no stages in timm; set training.frozen_stages to 0")
    groups = group_parameters(body, body.group_matcher(coarse=True))
    return [groups[number] for number in sorted(groups)]


def freeze_stages(trunk: ImageTrunk, n_stages: int) -> None:
    """Freeze the stem and the first stages; 0 freezes nothing.

    Raises:
        WeldError: If the network has fewer stages.
    """
    if n_stages == 0:
        return
    groups = stages(trunk.body)
    if n_stages >= len(groups):
        raise WeldError(
            f"training.frozen_stages is {n_stages}, but {trunk.architecture['name']} has {len(groups) - 1} after its stem; freeze fewer"
        )
    frozen = {name for group in groups[: n_stages + 1] for name in group}
    for name, parameter in trunk.body.named_parameters():
        parameter.requires_grad = name not in frozen


def rest_frozen(module: nn.Module, *, batch_norms: bool) -> None:
    """Put every part of a network whose parameters are all frozen into evaluation mode.

    A frozen batch norm must not update its statistics, and a frozen block must not drop paths. Call it after `train()`.

    Args:
        batch_norms: Whether all batch norms, trained ones too, keep the statistics they came with.
    """
    for part in module.modules():
        parameters = list(part.parameters())
        is_frozen = parameters and not any(parameter.requires_grad for parameter in parameters)
        if is_frozen or (batch_norms and isinstance(part, nn.modules.batchnorm._BatchNorm)):  # noqa: SLF001 - torch has no public name for all of them
            part.eval()


def save_image_trunk(trunk: ImageTrunk, record: WeightsRecord) -> SavedModel:
    """Return the trunk as a model file's content."""
    return saved_trunk(trunk, family="image_trunk", architecture=trunk.architecture, weights=record.as_dict())
