"""Local artifacts: what MLflow copied into a folder of this machine becomes a second name of the file it was copied from."""

import os
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.uri import is_local_uri

from weld_pipeline.core.temporary import temporary_beside


def share_bytes(run_id: str, saved: Path, artifact_path: str | None) -> None:
    """Give the copies of a logged file or folder the bytes of the original, so that the disk holds them once.

    Only for what is written by `core.files`: a later run replaces such a file and leaves the bytes of this run's artifact
    as they are. Where artifacts lie on a server, or on another file system, the copies stay.

    Args:
        saved: File or folder that was logged.
        artifact_path: Folder among the run's artifacts that it was logged to.
    """
    uri = MlflowClient().get_run(run_id).info.artifact_uri
    if not is_local_uri(uri):  # type: ignore[no-untyped-call]
        return
    root = Path(local_file_uri_to_path(uri))  # type: ignore[no-untyped-call]
    logged = root / (artifact_path or "") / saved.name
    for original, copy in _pairs(saved, logged):
        if copy.is_file() and not copy.is_symlink() and copy.stat().st_size == original.stat().st_size:
            _share(original, copy)


def _pairs(saved: Path, logged: Path) -> Iterator[tuple[Path, Path]]:
    if saved.is_file():
        yield saved, logged
        return
    for original in saved.rglob("*"):
        if original.is_file():
            yield original, logged / original.relative_to(saved)


def _share(original: Path, copy: Path) -> None:
    with temporary_beside(copy) as temporary:
        temporary.unlink()
        try:
            os.link(original, temporary)
        except OSError:  # another file system, or one without hard links
            return
        temporary.replace(copy)
