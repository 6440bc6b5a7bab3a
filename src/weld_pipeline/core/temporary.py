"""Temporary files and folders: made beside what they become, locked while they are written, swept after a kill."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weld_pipeline.core.errors import WeldError

# No other program's files end so: what bears it and is held by no process was left by one that was killed.
_SUFFIX = ".weld-tmp"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def temporary_beside(path: Path, *, is_folder: bool = False, n_bytes: int | None = None) -> Iterator[Path]:
    """Yield a new temporary file or folder beside `path`, locked by this process; it is gone when the block ends.

    Args:
        n_bytes: Size that it will have, for the error; None if nobody knows.

    Raises:
        WeldError: If the disk is full.
    """
    n_written = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _locked(path, _made_folder if is_folder else tempfile.mkstemp)
        try:
            yield temporary
        finally:
            n_written = _size(temporary)
            _remove(temporary)
            os.close(handle)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        need = f"more than {_size_text(n_written)}" if n_bytes is None else _size_text(n_bytes)
        free = _size_text(shutil.disk_usage(path.parent).free)
        raise WeldError(
            f"{path}: cannot be written ({error.strerror}): needs {need}, {free} are free; make room and run the "
            "same command again. Nothing half-written was left: files finished before are kept, also one of this name"
        ) from error


def _size_text(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:.1f} kB"  # noqa: PLR2004


def sweep_temporary(folder: Path) -> list[Path]:
    """Remove the temporary files and folders that killed processes left anywhere under `folder`, and return them.

    One that a living process still writes to is locked and stays, so any number of processes may sweep at once.
    """
    found = [Path(here, name) for here, folders, files in os.walk(folder) for name in (*folders, *files)]
    return [path for path in found if path.name.endswith(_SUFFIX) and _swept(path)]


def to_disk(path: Path) -> None:
    """Wait until a file or folder lies on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made_folder(**names: Any) -> tuple[int, str]:
    name = tempfile.mkdtemp(**names)
    return os.open(name, os.O_RDONLY), name


def _locked(path: Path, make: Callable[..., tuple[int, str]]) -> tuple[int, Path]:
    while True:
        # A name may have 255 bytes, and a character four of them.
        handle, name = make(prefix=f".{path.name[:40]}.", suffix=_SUFFIX, dir=path.parent)
        if _lock(handle) and Path(name).exists():  # else a sweeper came between making and locking
            return handle, Path(name)
        os.close(handle)


def _lock(handle: int) -> bool:
    """Return whether this process may go on as the one that holds a file; where there are no locks, it may."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _swept(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # gone meanwhile, or not ours
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
    except OSError:  # held by its writer, or a file system without locks
        return False
    finally:
        os.close(handle)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file())
