"""Pretrained weights: the table, where they are looked for, and how they are read. Tensors only, never pickled code."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path, sha256_file
from weld_pipeline.nn.weights.hub import UnreachableError, download
from weld_pipeline.nn.weights.packages import WeightsPackage
from weld_pipeline.nn.weights.table import LISTED, Pretrained, image_line, video_lines

logger = logging.getLogger(__name__)

_FILES = (".safetensors", ".pth")


@dataclass(frozen=True)
class WeightsRecord:
    """Which weights a network carries; goes into MLflow, the bundle's provenance and the report.

    Attributes:
        name: Line of the table, path of a file, or `<trunk>.random`.
        source: Hub, package, file or generator they came from.
        sha256: Digest of that file; for random weights of the tensors.
        licence: Terms, `unknown` for a file of one's own.
        is_random: True if nothing was learnt before.
        seed: Seed of random weights, else None.
    """

    name: str
    source: str
    sha256: str
    licence: str
    is_random: bool
    seed: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """Pretrained weights that are here.

    Attributes:
        name: Line of the table, or the path as it was given.
        line: Of the table; None for a file of one's own.
        package: Package whose file it is, None for any other file.
    """

    name: str
    path: Path
    source: str
    licence: str
    line: Pretrained | None
    package: WeightsPackage | None = None

    def record(self) -> WeightsRecord:
        """Return what goes on record."""
        return WeightsRecord(self.name, self.source, sha256_file(self.path), self.licence, is_random=False, seed=None)

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors under the names of the network's library.

        Raises:
            WeldError: If the file is missing, broken, or would run code when opened.
        """
        tensors = read_tensors(self.path)
        return self.package.timm_names(tensors) if self.package else tensors


@cache
def table() -> Mapping[str, Pretrained]:
    """Return the listed sets of weights by name: all of torchvision's video networks, a few of timm's."""
    lines = [*video_lines(), *(image_line(name) for name in LISTED)]
    return {line.name: line for line in lines}


def default_for(trunk: str) -> Pretrained:
    """Return the first line of the table for a video trunk.

    Raises:
        WeldError: If no line fits, with the trunks that have one.
    """
    for line in table().values():
        if line.trunk == trunk:
            return line
    known = ", ".join(sorted({line.trunk for line in video_lines()}))
    raise WeldError(f"trunk {trunk!r} is not known; choose one of {known}")


def line_of(name: str) -> Pretrained:
    """Return the line of a name, also of one of timm's that the table does not list.

    Raises:
        WeldError: If there is none.
    """
    if name in table():
        return table()[name]
    try:
        return image_line(name)
    except WeldError as error:
        raise WeldError(
            f"weights {name!r} are not in the table; choose one of {', '.join(table())}, or any of timm's"
        ) from error


def choose(trunk: str, weights: str, folder: Path, default: Pretrained | None, *, way_out: str = "") -> Found | None:
    """Return the weights a trunk is to carry, or None for random ones.

    Args:
        trunk: The network, for the messages.
        weights: `auto` takes the trunk's own if they can be had, else random ones with a warning; `random` takes
            random ones; the name of a line, or a path, takes these and nothing else.
        default: What `auto` takes; None if nobody published any.
        way_out: What the warning of `auto` offers beside bringing a file.

    Raises:
        WeldError: If named weights cannot be had or are another trunk's.
    """
    if weights == "random":
        return None
    if weights == "auto":
        return _own_or_none(trunk, folder, default, way_out)
    if (path := Path(weights)).is_file() or path.suffix in _FILES:
        return Found(weights, path, source=weights, licence="unknown", line=None)
    line = line_of(weights)
    if line.trunk != trunk:
        raise WeldError(f"weights {weights} are for trunk {line.trunk}, not {trunk}; name weights of {trunk}")
    return _found(line, locate(line, folder))


def _own_or_none(trunk: str, folder: Path, default: Pretrained | None, way_out: str) -> Found | None:
    reason = "nobody published any; give a file of your own as `weights`"
    if default is not None:
        try:
            return _found(default, locate(default, folder))
        except UnreachableError as error:
            reason = str(error)
    if way_out and not (default and default.package):  # else the reason names the trunk's own package
        reason = f"{reason}, {way_out}"
    logger.warning(
        "PRETRAINED WEIGHTS ARE MISSING: %s goes on with RANDOM weights, and its numbers mean little. %s", trunk, reason
    )
    return None


def _found(line: Pretrained, path: Path) -> Found:
    package = _package_of(line, path)
    if package is None:
        return Found(line.name, path, source=line.url, licence=line.licence, line=line)
    return Found(line.name, path, source=package.source, licence=package.licence, line=line, package=package)


def _package_of(line: Pretrained, path: Path | None) -> WeightsPackage | None:
    return line.package if line.package and path and path == line.package.find() else None


def inventory(folder: Path) -> list[dict[str, Any]]:
    """Return every line of the table as JSON values, with the file found for it and that file's digest.

    `filename` is what a file is to be called to be found. `is_packaged` tells whether what was found is the `package`'s
    file. `is_checked` tells whether it was compared with a digest: one that `is_converted`, of another suffix, cannot be,
    and not every hub publishes one.

    Raises:
        WeldError: If a file has other bytes than the hub's or the table's.
    """
    lines = []
    for line in table().values():
        path = find_local(line, folder)
        package = _package_of(line, path)
        is_converted = path is not None and path.parent == folder and path.name != line.filename
        is_checked = package is not None or (path is not None and line.sha256 is not None and not is_converted)
        here: dict[str, Any] = {"filename": line.filename, "found": str(path) if path else None}
        here |= {"is_packaged": package is not None, "is_converted": is_converted, "is_checked": is_checked}
        if package is not None:
            here |= {"url": package.source, "licence": package.licence}
        lines.append(asdict(line) | here | {"sha256": sha256_file(path) if path else line.sha256})
    return lines


def find_local(line: Pretrained, folder: Path) -> Path | None:
    """Return the weights' file in `folder`, in an installed package or in the library's cache, or None.

    A `.safetensors` or `.pth` of the same stem counts too.

    Raises:
        WeldError: If a file of that name has other bytes than the hub's or the table's.
    """
    stem = line.filename.removesuffix(".safetensors").removesuffix(".pth")
    for converted in (folder / f"{stem}{suffix}" for suffix in _FILES):
        if converted.is_file() and converted.name != line.filename:
            return converted
    if (path := folder / line.filename).is_file():
        check_digest(line, path)
        return path
    if line.package and (carried := line.package.find()):
        return carried
    if cached := line.cached():
        check_digest(line, cached)
    return cached


def check_digest(line: Pretrained, path: Path, announced: str | None = None) -> str:
    """Return the digest of a file that must be the hub's.

    Args:
        announced: What the hub said when it was fetched, for a line without a digest of its own.

    Raises:
        WeldError: If it differs.
    """
    digest, expected = sha256_file(path), line.sha256 or announced or ""
    if not digest.startswith(expected):
        raise WeldError(
            f"weights {path}: sha256 begins {digest[:16]}, the table says {expected}; delete the file and fetch {line.url} again"
        )
    return digest


def fetch(line: Pretrained, folder: Path) -> Path:
    """Download weights into `folder` and return the file, whole and checked.

    Raises:
        UnreachableError: If the hub does not answer within seconds, with the file to bring by other means.
        WeldError: If what came has other bytes than the table or the hub's own announcement says.
    """
    target = folder / line.filename
    install = f" or install {line.package.distribution}" if line.package else ""
    advice = f"put {line.filename} into {folder}{install}"
    with atomic_path(target) as temporary:
        announced = download(line.url, temporary, label=f"weights {line.name}", advice=advice)
        check_digest(line, temporary, announced)
    if not (line.sha256 or announced):
        logger.warning("weights %s: %s says no sha256, so the file could not be checked", line.name, line.url)
    return target


def locate(line: Pretrained, folder: Path) -> Path:
    """Return the weights' file: from `folder`, else from a package, else from the library's cache, else from the hub.

    Raises:
        UnreachableError: If it is nowhere to be had.
    """
    return find_local(line, folder) or fetch(line, folder)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file or of a torch checkpoint that holds nothing else.

    Raises:
        WeldError: If the file is missing, broken, or would run code when opened.
    """
    if not path.is_file():
        raise WeldError(
            f"weights {path}: no such file; give the name of a line of `weld weights list`, or an existing file"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeldError(
            f"weights {path}: cannot be read as tensors only ({reason}); convert it to safetensors"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeldError(f"weights {path}: is not a table of tensors; save the network's state_dict() alone")
    return state
