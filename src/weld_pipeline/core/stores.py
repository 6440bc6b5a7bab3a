"""Item stores: folders of finished items, one file an item with its content key."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors import SafetensorError, safe_open

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside, write_bytes
from weld_pipeline.core.sealed_tensors import DamageError, seal_tensors, unsealed_header
from weld_pipeline.core.seals import read_record, write_record

_REMEDY = "run the pipeline that makes it again"


class FolderStore(Mapping[str, Any]):
    """A mapping from item id to result, read from disk at each access.

    An id may hold `/`; its file lies in the sub-folders it names. The store lists only ids in `index.json`, which
    `commit` writes when a set is complete, so files left by other parameters or a killed run are never read as its own.
    """

    suffix: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: dict[str, str] | None = None

    def path(self, item_id: str) -> Path:
        """Return where an item lies, refusing an id that leaves the folder."""
        return inside(self.folder, item_id + self.suffix)

    def commit(self, keys: Mapping[str, str]) -> None:
        """Record that the set is complete: ids and the key of each, in order."""
        self._index = dict(keys)
        write_record(self.folder / "index.json", {"items": [[item_id, key] for item_id, key in keys.items()]})

    def index(self) -> dict[str, str]:
        """Return the committed ids with their keys, in order.

        Raises:
            WeldError: If no set was completed here.
        """
        if self._index is None:
            path = self.folder / "index.json"
            if not path.is_file():
                raise WeldError(f"{self.folder} holds no finished set (index.json is missing); {_REMEDY}")
            self._index = dict(read_record(path, remedy=_REMEDY)["items"])
        return self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self.index())

    def __len__(self) -> int:
        return len(self.index())

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.index()

    def __getitem__(self, item_id: str) -> Any:
        """Return one result.

        Raises:
            KeyError: If the set does not hold the id.
            WeldError: If the item's file is not the one the set was completed with, as after a killed renewal.
        """
        self.check(item_id)
        return self.read(item_id)

    def check(self, item_id: str) -> None:
        """Refuse an item whose file is missing or of another set; the errors are those of reading it."""
        expected = self.index()[item_id]
        if self.key_of(item_id) != expected:
            raise WeldError(f"{self.path(item_id)} is missing or not of this set, or was damaged; {_REMEDY}")

    @abstractmethod
    def key_of(self, item_id: str) -> str | None:
        """Return the content key in the item's own file, or None if there is no whole file."""

    @abstractmethod
    def read(self, item_id: str) -> Any:
        """Return what the item's own file holds."""

    @abstractmethod
    def write(self, item_id: str, key: str, result: Any) -> None:
        """Store one result atomically under its key."""


class JsonStore(FolderStore):
    """Items that are JSON values."""

    suffix = ".json"

    def key_of(self, item_id: str) -> str | None:
        try:
            return str(self._record(item_id)["key"])
        except (FileNotFoundError, WeldError):
            return None

    def read(self, item_id: str) -> Any:
        return self._record(item_id)["value"]

    def write(self, item_id: str, key: str, result: Any) -> None:
        write_record(self.path(item_id), {"key": key, "value": result})

    def _record(self, item_id: str) -> dict[str, Any]:
        return read_record(self.path(item_id), remedy=_REMEDY)


class TensorStore(FolderStore):
    """Items that are dictionaries of arrays, as sealed safetensors with the key in the header."""

    suffix = ".safetensors"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._checked: dict[str, tuple[int, int]] = {}

    def check(self, item_id: str) -> None:
        super().check(item_id)
        path = self.path(item_id)
        state = (path.stat().st_mtime_ns, path.stat().st_size)
        if self._checked.get(item_id) == state:  # an epoch reads every item, and a long image is read tile by tile
            return
        try:
            unsealed_header(path.read_bytes())
        except DamageError as error:
            raise WeldError(f"{path}: {error}; delete it, and {_REMEDY}") from error
        self._checked[item_id] = state

    def key_of(self, item_id: str) -> str | None:
        try:
            with safe_open(self.path(item_id), framework="np") as file:
                metadata = file.metadata() or {}
        except (FileNotFoundError, SafetensorError):
            return None
        return metadata.get("key") if "sha256" in metadata else None

    def read(self, item_id: str) -> dict[str, np.ndarray]:
        with safe_open(self.path(item_id), framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open is no mapping

    def part(self, item_id: str, name: str, row: int | None = None) -> np.ndarray:
        """Return one array of an item, or one row of it, without reading the others.

        Raises:
            KeyError: If the set does not hold the id.
            WeldError: As reading the whole item does.
        """
        self.check(item_id)
        with safe_open(self.path(item_id), framework="np") as file:
            array: np.ndarray = file.get_tensor(name) if row is None else file.get_slice(name)[row : row + 1][0]
        return array

    def write(self, item_id: str, key: str, result: dict[str, np.ndarray]) -> None:
        # `ascontiguousarray` would make a vector of a single number.
        tensors = {name: np.asarray(value, order="C") for name, value in result.items()}
        write_bytes(self.path(item_id), seal_tensors(tensors, {"key": key}))
