"""Pretrained weights: the table, where they are looked for, and how they are read. Tensors only, never pickled code."""

import logging
import threading
import urllib.request
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
from torchvision.models import get_model_weights, list_models, video  # type: ignore[attr-defined]

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path, sha256_file

logger = logging.getLogger(__name__)

# What urlopen returns: for https a HTTPResponse, for a file of a mirror something else that reads.
Response = Any

_CONNECT_TIMEOUT_S = 10
_CHUNK_BYTES = 1 << 20
_KINETICS = "BSD-3-Clause (torchvision); trained on Kinetics-400, whose videos keep their own terms"


class UnreachableError(WeldError):
    """Weights are neither on this machine nor to be had from their hub."""


@dataclass(frozen=True)
class Pretrained:
    """One line of the table.

    Attributes:
        name: How parameters call it.
        trunk: The network it fits.
        url: Its hub.
        sha256: Digest of the file, or its first digits where the hub publishes no more.
        licence: Under which terms it comes.
        mean: Per RGB channel, on [0, 1].
        std: Per RGB channel, on [0, 1].
        resize_size: (height, width) or (short side,) [px].
        crop_size: (height, width) [px].
    """

    name: str
    trunk: str
    url: str
    sha256: str
    licence: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize_size: tuple[int, ...]
    crop_size: tuple[int, ...]

    @property
    def filename(self) -> str:
        """Return the file's name at the hub, in the library's cache and in the folder of pretrained weights."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class WeightsRecord:
    """Which weights a network carries; goes into MLflow, the bundle's provenance and the report.

    Attributes:
        name: Line of the table, path of a file, or `<trunk>.random`.
        source: Hub, file or generator they came from.
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


@cache
def table() -> Mapping[str, Pretrained]:
    """Return every known set of weights by name; sizes and statistics are the library's own definitions."""
    lines = {}
    for trunk in list_models(video):
        for entry in get_model_weights(trunk):
            transform = entry.transforms()
            line = Pretrained(
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
            lines[line.name] = line
    return lines


def default_for(trunk: str) -> Pretrained:
    """Return the first line of the table for a trunk.

    Raises:
        WeldError: If no line fits, with the trunks that have one.
    """
    for line in table().values():
        if line.trunk == trunk:
            return line
    known = ", ".join(sorted({line.trunk for line in table().values()}))
    raise WeldError(f"trunk {trunk!r} is not known; choose one of {known}")


def line_of(name: str) -> Pretrained:
    """Return the line of a name.

    Raises:
        WeldError: If the table has none.
    """
    if name not in table():
        raise WeldError(f"weights {name!r} are not in the table; choose one of {', '.join(table())}")
    return table()[name]


def inventory(folder: Path) -> list[dict[str, Any]]:
    """Return every line of the table as JSON values, with the file found for it and that file's digest.

    Raises:
        WeldError: If a file has other bytes than the hub's.
    """
    lines = []
    for line in table().values():
        path = find_local(line, folder)
        lines.append(
            asdict(line) | {"found": str(path) if path else None, "sha256": sha256_file(path) if path else line.sha256}
        )
    return lines


def find_local(line: Pretrained, folder: Path) -> Path | None:
    """Return the weights' file in `folder` or in torch's cache, or None.

    A `.safetensors` of the same stem counts too.

    Raises:
        WeldError: If a file of that name has other bytes than the hub's.
    """
    stem = Path(line.filename).stem
    if (converted := folder / f"{stem}.safetensors").is_file():
        return converted
    for path in (folder / line.filename, Path(torch.hub.get_dir()) / "checkpoints" / line.filename):
        if path.is_file():
            check_digest(line, path)
            return path
    return None


def check_digest(line: Pretrained, path: Path) -> str:
    """Return the digest of a file that must be the hub's.

    Raises:
        WeldError: If it differs from the table.
    """
    digest = sha256_file(path)
    if not digest.startswith(line.sha256):
        raise WeldError(
            f"weights {path}: sha256 begins {digest[:16]}, the table says {line.sha256}; delete the file and fetch {line.url} again"
        )
    return digest


def fetch(line: Pretrained, folder: Path) -> Path:
    """Download weights into `folder` and return the file, whole and checked.

    Raises:
        UnreachableError: If the hub does not answer within seconds, with the file to bring by other means.
        WeldError: If what came has other bytes than the table says.
    """
    target = folder / line.filename
    with _connect(line, folder) as response, atomic_path(target) as temporary:
        with temporary.open("wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
        check_digest(line, temporary)
    return target


def _connect(line: Pretrained, folder: Path) -> Response:
    # A thread, because the look-up of a host's name obeys no timeout and can hang for a minute on a cut-off machine.
    outcome: list[Response | OSError] = []

    def connect() -> None:
        try:
            outcome.append(urllib.request.urlopen(line.url, timeout=_CONNECT_TIMEOUT_S))  # noqa: S310 - https, from the table
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_CONNECT_TIMEOUT_S)
    result = outcome[0] if outcome else TimeoutError(f"no answer in {_CONNECT_TIMEOUT_S} s")
    if isinstance(result, OSError):
        raise UnreachableError(
            f"weights {line.name}: {line.url} cannot be reached ({result}); put {line.filename} into {folder}"
        ) from result
    return result


def locate(line: Pretrained, folder: Path) -> Path:
    """Return the weights' file: from `folder`, else from torch's cache, else from the hub.

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
