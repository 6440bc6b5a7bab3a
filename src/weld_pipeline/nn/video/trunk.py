"""Trunk of a video classifier: a torchvision network, frames in, embedding and logits out."""

import copy
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torchvision.models import get_model  # type: ignore[attr-defined]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.state import fingerprint, load_tensors, saved_trunk
from weld_pipeline.nn.video.preprocess import ClipPreprocess
from weld_pipeline.nn.weights import choose as pretrained
from weld_pipeline.nn.weights.choose import WeightsRecord


class VideoTrunk(nn.Module):
    """A classifier of `torchvision.models.video`, cut before its last layer.

    Attributes:
        name: Torchvision's name of the network.
    """

    def __init__(self, name: str) -> None:
        """Build the network with the library's random weights.

        Raises:
            WeldError: If torchvision has no such video network.
        """
        super().__init__()
        line = pretrained.default_for(name)
        self.name = name
        self.body, self.head = _cut(get_model(name, weights=None))
        self.preprocess = ClipPreprocess(
            resize_size=line.resize_size, crop_size=line.crop_size, mean=line.mean, std=line.std
        )
        self.embedding_size = self.head.in_features
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, frames: UInt8[Tensor, "B T H W 3"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B K"]]:
        """Return embedding and logits of clips of decoded frames."""
        return self.encode(self.preprocess(frames))

    def encode(self, clips: Float[Tensor, "B 3 T h w"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B K"]]:
        """Return embedding and logits of preprocessed clips."""
        embedding = self.body(clips)
        return embedding, self.head(embedding)

    def check_window(self, window: int) -> None:
        """Refuse a clip length that the network cannot take. Only shapes are computed, on the meta device.

        Raises:
            WeldError: If clips are too short, or not of the length the network is built for.
        """
        body = copy.deepcopy(self.body).to("meta")
        try:
            body(torch.empty(1, 3, window, *self.preprocess.crop_size, device="meta"))
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise WeldError(
                f"trunk {self.name} takes no clips of {window} frames ({reason}); its weights were trained on 16, set video_classifier.windows.window"
            ) from error


def _cut(network: nn.Module) -> tuple[nn.Module, nn.Linear]:
    """Return the network without its last layer, and that layer.

    S3D ends in a 1×1×1 convolution followed by a mean over positions; the two commute, so the layer becomes linear.
    """
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, (nn.Linear, nn.Conv3d))}
    name, last = list(layers.items())[-1]
    parent, _, attribute = name.rpartition(".")
    setattr(network.get_submodule(parent), attribute, nn.Identity())
    if isinstance(last, nn.Linear):
        return network, last
    head = nn.Linear(last.in_channels, last.out_channels)
    head.load_state_dict({"weight": last.weight.flatten(1), "bias": last.bias})
    return network, head


def load_trunk(name: str, *, weights: str, seed: int, folder: Path) -> tuple[VideoTrunk, WeightsRecord]:
    """Return a trunk and the record of its weights.

    Args:
        weights: `auto`, `random`, a name or a path; see `weights.choose`.

    Raises:
        WeldError: If named weights cannot be had or do not fit.
    """
    found = pretrained.choose(name, weights, folder, pretrained.default_for(name))
    return _random_trunk(name, seed) if found is None else _pretrained_trunk(name, found)


def _pretrained_trunk(name: str, found: pretrained.Found) -> tuple[VideoTrunk, WeightsRecord]:
    tensors = pretrained.read_tensors(found.path)
    network = get_model(name, weights=None)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise WeldError(f"weights {found.path}: do not fit trunk {name} ({reason}); name weights of {name}") from error
    trunk = VideoTrunk(name)
    body, head = _cut(network)
    trunk.body.load_state_dict(body.state_dict())
    trunk.head.load_state_dict(head.state_dict())
    return trunk, found.record()


def _random_trunk(name: str, seed: int) -> tuple[VideoTrunk, WeightsRecord]:
    """Return a trunk of seeded random weights, rounded to values that bf16 holds exactly.

    Random features vary little against their own size. So a weight rounded in bf16 alone would make a standardised
    feature differ much from that of the exported fp32 graph. With rounded weights the difference is 0.02 standard
    deviations between clips of the drawn shop. The library's own initialisation stays: batch norms calibrated on noise,
    or on the clips themselves, raised the standard deviation but gave worse features (a linear probe over sessions fell
    from 0.64 to 0.47).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = VideoTrunk(name)
    for parameter in trunk.parameters():
        parameter.data = parameter.data.bfloat16().float()
    source = f"torch seed {seed}, rounded to bfloat16"
    return trunk, WeightsRecord(f"{name}.random", source, fingerprint(trunk), "none", is_random=True, seed=seed)


def save_trunk(trunk: VideoTrunk, record: WeightsRecord) -> SavedModel:
    """Return the trunk as a model file's content."""
    return saved_trunk(trunk, family="video_trunk", architecture={"name": trunk.name}, weights=record.as_dict())


def restore_trunk(model: SavedModel) -> VideoTrunk:
    """Return the trunk a model file holds."""
    trunk = VideoTrunk(**model.architecture)
    load_tensors(trunk, model.tensors)
    return trunk
