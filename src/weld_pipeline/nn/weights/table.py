"""Where pretrained weights come from: torchvision's own definitions for videos, timm's for images."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import try_to_load_from_cache
from torchvision.models import get_model_weights, list_models, video  # type: ignore[attr-defined]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.weights.packages import PACKAGES, WeightsPackage

_KINETICS = "BSD-3-Clause (torchvision); trained on Kinetics-400, whose videos keep their own terms"
_HUB = "https://huggingface.co/"
_HUB_FILE = "model.safetensors"
# What `weld weights list` shows of timm's 1,500: the trunks of recipes and detectors and a few standard ones. Every other one is
# found by its name all the same.
LISTED = (
    *PACKAGES,
    "resnet50.a1_in1k",
    "resnet18.a1_in1k",
    "mobilenetv2_100.ra_in1k",
    "mobilenetv3_large_100.ra_in1k",
    "convnextv2_nano.fcmae_ft_in22k_in1k_384",
    "convnext_tiny.fb_in22k_ft_in1k",
    "tiny_vit_21m_384.dist_in22k_ft_in1k",
    "efficientnet_b0.ra_in1k",
    "densenet169.tv_in1k",
    "wide_resnet50_2.racm_in1k",
    "vit_small_patch14_dinov2.lvd142m",
)


@dataclass(frozen=True)
class Pretrained:
    """One line of the table.

    Attributes:
        name: How parameters call it.
        trunk: The network it fits.
        sha256: Digest of the file, or its first digits where the hub publishes no more; None where it publishes none.
        mean: Per RGB channel, on [0, 1].
        std: Per RGB channel, on [0, 1].
        resize_size: (height, width) or (short side,) [px].
        crop_size: (height, width) [px].
        package: Package that carries weights of this name, if there is one; its file is not the hub's.
    """

    name: str
    trunk: str
    url: str
    sha256: str | None
    licence: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize_size: tuple[int, ...]
    crop_size: tuple[int, ...]
    package: WeightsPackage | None = None

    @property
    def filename(self) -> str:
        """Return the file's name in the folder of pretrained weights."""
        file = self.url.rsplit("/", 1)[-1]
        return f"{self.name}.safetensors" if file == _HUB_FILE else file  # every file of that hub has the same name

    def cached(self) -> Path | None:
        """Return the file where the library itself would have put it, or None."""
        if self.url.startswith(_HUB):
            path = try_to_load_from_cache("/".join(self.url.removeprefix(_HUB).split("/")[:2]), _HUB_FILE)
            return Path(path) if isinstance(path, str) else None
        path = Path(torch.hub.get_dir()) / "checkpoints" / self.url.rsplit("/", 1)[-1]
        return path if path.is_file() else None


def video_lines() -> Iterator[Pretrained]:
    """Yield the weights of torchvision's video networks; sizes and statistics are the library's own definitions."""
    for trunk in list_models(video):
        for entry in get_model_weights(trunk):
            transform = entry.transforms()
            yield Pretrained(
                name=f"{trunk}.{entry.name.lower()}",
                trunk=trunk,
                url=entry.url,
                sha256=Path(entry.url).stem.rsplit("-", 1)[-1],
                licence=_KINETICS,
                mean=tuple(transform.mean),
                std=tuple(transform.std),
                resize_size=tuple(transform.resize_size),
                crop_size=tuple(transform.crop_size),
            )


@cache
def image_line(name: str) -> Pretrained:
    """Return the line of weights timm knows, by `<architecture>.<tag>`.

    Raises:
        WeldError: If timm knows none of that name.
    """
    config = _config(name)
    if config is None or name != f"{config.architecture}.{config.tag}" or not config.hf_hub_id:
        raise WeldError(
            f"weights {name!r} are not in the table, and timm has none of that name; see `weld weights list`"
        )
    height, width = config.input_size[1:]
    return Pretrained(
        name=name,
        trunk=config.architecture,
        url=f"{_HUB}{config.hf_hub_id}/resolve/main/{config.hf_hub_filename or _HUB_FILE}",
        sha256=None,
        licence=f"{config.license or 'unknown'} ({config.hf_hub_id}); the images it learnt keep their own terms",
        mean=tuple(config.mean),
        std=tuple(config.std),
        resize_size=(round(min(height, width) / config.crop_pct),),
        crop_size=(height, width),
        package=PACKAGES.get(name),
    )


def default_image_line(trunk: str) -> Pretrained | None:
    """Return the line timm would take for an architecture of its own, or None if it was never trained.

    Raises:
        WeldError: If timm has no such architecture.
    """
    check_image_trunk(trunk)
    config = _config(trunk)
    if config is None or not config.hf_hub_id:
        return None
    return image_line(f"{trunk}.{config.tag}")


def check_image_trunk(trunk: str) -> None:
    """Refuse what is no architecture of timm.

    Raises:
        WeldError: With names that resemble it.
    """
    if not timm.is_model(trunk) or "." in trunk:
        near = timm.list_models(f"*{trunk.split('.', maxsplit=1)[0][:6]}*")[:8] or [
            "resnet50",
            "mobilenetv2_100",
            "convnextv2_nano",
        ]
        raise WeldError(f"trunk {trunk!r} is not known to timm; choose one of {', '.join(near)}, …")


def image_statistics(trunk: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per RGB channel that timm gives an architecture's images."""
    config = _config(trunk)
    return tuple(config.mean), tuple(config.std)


def _config(name: str) -> Any:
    try:
        return timm.get_pretrained_cfg(name)
    except RuntimeError:  # a tag its architecture does not have
        return None
