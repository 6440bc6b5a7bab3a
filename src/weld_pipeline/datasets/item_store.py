"""A folder of items, each worked on and stored by itself."""

from pathlib import Path
from typing import Any, ClassVar

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.stores import FolderStore, JsonStore, TensorStore


class ItemStoreDataset(AbstractDataset[PendingItems[Any, Any], FolderStore]):
    """Does pending items at save, keeping what is finished; gives a lazy mapping at load.

    A run killed in the middle leaves every finished item; the next run does the rest. The set counts as existing
    only when all its items are there.

    Args:
        filepath: The folder.
        kind: `json` for JSON values, `tensor` for dictionaries of arrays.
        metadata: For plugins such as Kedro-Viz.
    """

    _STORES: ClassVar[dict[str, type[FolderStore]]] = {"json": JsonStore, "tensor": TensorStore}

    def __init__(self, *, filepath: str, kind: str, metadata: dict[str, Any] | None = None) -> None:
        if kind not in self._STORES:
            raise DatasetError(f"kind {kind!r} is none of {sorted(self._STORES)}; mend the catalog entry of {filepath}")
        self.metadata = metadata
        self._store = self._STORES[kind](Path(filepath))

    def load(self) -> FolderStore:
        self._store.index()
        return self._store

    def save(self, data: PendingItems[Any, Any]) -> None:
        report = map_items(data, self._store)
        self._store.commit({item.id: item.key for item in data.items})
        self._logger.info("%s: %d done, %d found finished", data.label, report.n_done, report.n_kept)

    def preview(self) -> JSONPreview:
        """Return the number of items and the first few ids for Kedro-Viz."""
        import json  # noqa: PLC0415

        ids = list(self._store.index())
        return JSONPreview(json.dumps({"n_items": len(ids), "first": ids[:10]}))

    def _exists(self) -> bool:
        return (self._store.folder / "index.json").is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._store.folder), "kind": type(self._store).__name__}
