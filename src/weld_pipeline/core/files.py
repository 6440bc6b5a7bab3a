"""Files that are whole or absent, and paths that stay inside their folder."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.temporary import temporary_beside, to_disk

_CHUNK_BYTES = 1 << 20


@contextmanager
def atomic_path(path: Path, *, n_bytes: int | None = None) -> Iterator[Path]:
    """Yield a temporary file beside `path` that takes its place when the block ends well.

    A reader sees the old file or the new one, never half of one. A process killed inside the block leaves only a
    temporary file, which nothing reads and the next run sweeps.

    Args:
        n_bytes: Size that it will have, for the error; None if nobody knows.

    Raises:
        WeldError: If the disk is full.
    """
    with temporary_beside(path, n_bytes=n_bytes) as temporary:
        yield temporary
        to_disk(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder` that takes its place when the block ends well, as `atomic_path` a file.

    A kill at any moment leaves the old folder, the new one, or, between two renames, none; never a mixture.

    Raises:
        WeldError: If the disk is full.
    """
    with temporary_beside(folder, is_folder=True) as temporary:
        yield temporary
        for path in (*temporary.rglob("*"), temporary):
            to_disk(path)
        temporary.chmod(0o755)
        with temporary_beside(folder, is_folder=True) as retired:
            if folder.exists():
                folder.replace(retired)
            temporary.replace(folder)


def write_bytes(path: Path, content: bytes | bytearray) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path, n_bytes=len(content)) as temporary:
        temporary.write_bytes(content)


def write_new(path: Path, content: bytes) -> bool:
    """Return whether `path` was free; if so it now holds all of `content`, else what it held before."""
    with temporary_beside(path, n_bytes=len(content)) as temporary:
        temporary.write_bytes(content)
        to_disk(temporary)
        temporary.chmod(0o644)
        try:
            os.link(temporary, path)  # unlike a rename, it never takes the place of another file
        except FileExistsError:
            return False
    return True


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically; NaN is refused."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` a second name of the file `source`, or a copy where the file system has no hard links.

    Every writer here replaces files and none changes one in place, so what is written under one name later leaves the
    other as it is.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def content_key(*parts: Any) -> str:
    """Return the SHA-256 of JSON-able parts: equal inputs, weights and parameters give equal keys."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def inside(root: Path, relative: str) -> Path:
    """Return `root / relative`, refusing a path that leaves `root`.

    Raises:
        WeldError: If `relative` is absolute or climbs out, also by way of a symbolic link.
    """
    path = root / relative
    if Path(relative).is_absolute() or not path.resolve().is_relative_to(root.resolve()):
        raise WeldError(f"path {relative!r} leaves its folder {root}; give a path relative to that folder")
    return path
