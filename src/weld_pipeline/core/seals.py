"""Seals: the hash of a file inside the file itself, written with it and checked before a byte of it is used.

A seal finds damage and edits. It is no signature: who can write a file can seal it anew.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path, content_key, write_json

_TRAILER = re.compile(rb"sha256 ([0-9a-f]{64})\n")
_N_TRAILER = len("sha256 \n") + 64


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with `sha256`, the content key of everything else in it."""
    body = {name: value for name, value in record.items() if name != "sha256"}
    return body | {"sha256": content_key(body)}


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a sealed record as JSON, atomically."""
    write_json(path, sealed(json.loads(json.dumps(record, allow_nan=False))))  # keys are sorted as they will be read


def read_record(path: Path, *, remedy: str) -> dict[str, Any]:
    """Return a record from `write_record`, its seal included.

    Raises:
        WeldError: If it is not what was written; it ends with the remedy.
        FileNotFoundError: If there is none.
    """
    try:
        record = json.loads(path.read_bytes())
        if sealed(record)["sha256"] == record["sha256"]:
            return dict(record)
        reason = "its SHA-256 is not the one it was sealed with"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"it is no sealed JSON: {type(error).__name__}"
    raise WeldError(f"{path}: was damaged or changed after it was written ({reason}); {remedy}")


def write_sealed(path: Path, content: bytes | memoryview) -> None:
    """Write bytes and a line with their SHA-256 behind them, atomically."""
    with atomic_path(path, n_bytes=len(content) + _N_TRAILER) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.write(f"sha256 {hashlib.sha256(content).hexdigest()}\n".encode())


def read_sealed(path: Path, *, remedy: str) -> bytes:
    """Return the bytes from `write_sealed`.

    Raises:
        WeldError: If they are not what was written; it ends with the remedy.
    """
    content = path.read_bytes()
    body, trailer = content[:-_N_TRAILER], _TRAILER.fullmatch(content[-_N_TRAILER:])
    if trailer is None or hashlib.sha256(body).hexdigest().encode() != trailer[1]:
        reason = "no seal at its end" if trailer is None else "its SHA-256 is not the one it was sealed with"
        raise WeldError(f"{path}: was cut short, damaged or changed after it was written ({reason}); {remedy}")
    return body
