"""Item store: a folder of items, each worked on and stored by itself."""

from typing import Any, ClassVar

from kedro.io import DatasetError
from kedro_datasets._typing import JSONPreview

from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.stores import FolderStore, JsonStore, TensorStore
from weld_pipeline.datasets.base import FileDataset, json_preview


class ItemStoreDataset(FileDataset[PendingItems[Any, Any], FolderStore]):
    """Works on pending items at save and keeps what is finished; loads a lazy mapping.

    A run that is killed leaves every finished item, and the next run does the rest. The set exists only when all its
    items are there.

    Args:
        filepath: The folder.
        kind: `json` for JSON values, `tensor` for dictionaries of arrays.
        metadata: Settings of plugins such as Kedro-Viz.
    """

    _STORES: ClassVar[dict[str, type[FolderStore]]] = {"json": JsonStore, "tensor": TensorStore}
    last_file = "index.json"

    def __init__(self, *, filepath: str, kind: str, metadata: dict[str, Any] | None = None) -> None:
        if kind not in self._STORES:
            raise DatasetError(f"kind {kind!r} is none of {sorted(self._STORES)}; mend the catalog entry of {filepath}")
        super().__init__(filepath=filepath, metadata=metadata)
        self._store = self._STORES[kind](self.path)

    def load(self) -> FolderStore:
        self._store.index()
        return self._store

    def save(self, data: PendingItems[Any, Any]) -> None:
        report = map_items(data, self._store)
        self._store.commit({item.id: item.key for item in data.items})
        self._logger.info("%s: %d done, %d found finished", data.label, report.n_done, report.n_kept)

    def preview(self) -> JSONPreview:
        """Return the number of items and the first few ids for Kedro-Viz."""
        ids = list(self._store.index())
        return json_preview({"n_items": len(ids), "first": ids[:10]})

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"kind": type(self._store).__name__}
