"""Sealed tensors: a safetensors file whose metadata hold the hash of all else in it. See `core.seals`."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save

from weld_pipeline.core.errors import WeldError

_BLANK = "0" * 64
# Inside a JSON string every quotation mark has a backslash before it, so this is found at one place alone.
_SEAL = re.compile(rb'"sha256":"([0-9a-f]{64})"')


class DamageError(ValueError):
    """A file is not what was sealed; the message says what of it, and whoever reads it adds file and next step."""


def seal_tensors(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """Return a safetensors file whose metadata hold its seal; equal arguments give equal bytes."""
    # safetensors writes the metadata in hash order, which differs from process to process; JSON is rewritten in place
    # with its keys sorted (same length), so that equal models have equal bytes.
    content = bytearray(save(dict(tensors), {**metadata, "sha256": _BLANK}))
    n_header = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n_header])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > n_header:
        raise WeldError(f"safetensors header grew from {n_header} to {len(text)} bytes; report this with the model")
    content[8 : 8 + n_header] = text.ljust(n_header)
    start, end = _seal_place(content)
    content[start:end] = _blanked_hash(content, start, end)
    return bytes(content)


def unsealed_header(content: bytes) -> dict[str, Any]:
    """Return the JSON header of a file from `seal_tensors`, once its seal is found to fit every byte.

    Raises:
        DamageError: If the file is not what was sealed, or was never sealed.
    """
    start, end = _seal_place(content)
    if _blanked_hash(content, start, end) != content[start:end]:
        raise DamageError("it was damaged or changed after it was written")
    header: dict[str, Any] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return header


def _seal_place(content: bytes | bytearray) -> tuple[int, int]:
    n_header = int.from_bytes(content[:8], "little")
    found = _SEAL.search(content, 8, min(8 + n_header, len(content)))
    if found is None:
        raise DamageError("it bears no seal: another program or an earlier version wrote it, or it was cut or damaged")
    return found.span(1)


def _blanked_hash(content: bytes | bytearray, start: int, end: int) -> bytes:
    digest = hashlib.sha256(memoryview(content)[:start])
    digest.update(_BLANK.encode())
    digest.update(memoryview(content)[end:])
    return digest.hexdigest().encode()
