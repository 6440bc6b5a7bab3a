"""Raw footage on disk, as found there or as drawn there."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from weld_pipeline.core.drawn_files import DrawnFiles
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.source_tree import SourceTree


class SourceTreeDataset(AbstractDataset[PendingItems[Any, bytes], SourceTree]):
    """Gives a handle on a folder of raw files at load; makes pending files at save, never over existing ones.

    Each file is written whole or not at all. A save that was killed goes on where it stopped; until it has ended
    well, loading is refused, so that half a shop is not taken for a whole one.

    Args:
        filepath: The folder.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._root = Path(filepath)
        self.metadata = metadata

    def load(self) -> SourceTree:
        DrawnFiles.refuse_unfinished(self._root)
        return SourceTree(self._root)

    def save(self, data: PendingItems[Any, bytes]) -> None:
        files = DrawnFiles(self._root, {item.id: item.key for item in data.items})
        files.begin()
        report = map_items(data, files)
        files.finish()
        self._logger.info("%s: %d files made, %d existing files kept", self._root, report.n_done, report.n_kept)

    def _exists(self) -> bool:
        return self._root.is_dir() and any(self._root.iterdir())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._root)}
