"""Base of the file datasets: one path in the catalog, and whether something was saved there."""

import inspect
import json
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class FileDataset(AbstractDataset[Saved, Loaded]):
    """A file or a folder; a subclass loads and saves it.

    Args:
        filepath: The file or folder.
        metadata: Settings of plugins such as Kedro-Viz.
    """

    # The file of a folder that is written last; a dataset of one file has none.
    last_file: ClassVar[str] = ""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self.path = Path(filepath)
        self._filepath = self.path  # where kedro-mlflow looks for the file that it logs as an artifact
        self.metadata = metadata

    # Kedro wraps `__init__` once a subclass and loses the names of inherited arguments, which `catalog.to_config` needs.
    __init__.__signature__ = inspect.signature(__init__)  # type: ignore[attr-defined]

    def _exists(self) -> bool:
        return (self.path / self.last_file).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.path)}


class ReadOnlyDataset(FileDataset[Any, Loaded]):
    """A file or folder that no node writes; a subclass loads it."""

    # Whoever writes it instead, for the error.
    writer: ClassVar[str]

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self.path} is filled by {self.writer}; a {type(data).__name__} cannot be saved there")


def json_preview(value: Any) -> JSONPreview:
    """Return a JSON value as Kedro-Viz shows it."""
    return JSONPreview(json.dumps(value))
