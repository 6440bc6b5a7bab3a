"""Failures that a user can mend, as one line: mistakes, a full disk, a file that is not there or not allowed."""

import errno
from collections.abc import Iterator

from weld_pipeline.core.errors import WeldError

_FULL = {errno.ENOSPC, errno.EDQUOT}
# Libraries that write by themselves say it in words: safetensors, SQLite, Arrow.
_FULL_WORDS = ("No space left on device", "database or disk is full", "Disk quota exceeded")
_MACHINE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE}


def one_line(error: BaseException) -> str | None:
    """Return what a user is to read of an error, or None for a defect of this program, which keeps its traceback."""
    causes = list(_causes(error))
    inner = next(cause for cause in causes if not _is_wrapper(cause) or cause is causes[-1])
    if isinstance(inner, WeldError):
        return str(inner)
    for cause in causes:
        if (isinstance(cause, OSError) and cause.errno in _FULL) or any(words in str(cause) for words in _FULL_WORDS):
            return _disk_full(cause, causes)
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in _MACHINE:
            where = cause.filename or _dataset(causes) or "a file"
            return f"{where}: {cause.strerror or cause}; see to it that this user may read and write there, then run the same command again"
    return None


def _is_wrapper(error: BaseException) -> bool:
    """Return whether it is Kedro's error of a dataset, in which the catalog wraps what a dataset wraps."""
    return type(error).__name__ == "DatasetError"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, the outermost first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _disk_full(error: BaseException, causes: list[BaseException]) -> str:
    where = (error.filename if isinstance(error, OSError) else None) or _dataset(causes) or str(error).splitlines()[0]
    return (
        f"disk full: {where} could not be written; every file and item finished before is kept, "
        "so free some space and run the same command again"
    )


def _dataset(causes: list[BaseException]) -> str | None:
    """Return the dataset that a catalog's error names in its first line."""
    named = [str(cause).splitlines()[0] for cause in causes if _is_wrapper(cause) and str(cause)]
    return next(
        (line.partition(" to dataset ")[2].rstrip(".") or None for line in named if " to dataset " in line), None
    )
