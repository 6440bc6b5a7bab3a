"""Source tree: raw footage or images on disk, recorded or drawn."""

from typing import Any

from weld_pipeline.core.drawn_files import DrawnFiles
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.datasets.base import FileDataset


class SourceTreeDataset(FileDataset[PendingItems[Any, bytes], SourceTree]):
    """Loads a handle on a folder of raw files; saves drawn files into it, never over existing ones.

    Each file is written whole or not at all. A save that was killed goes on where it stopped. Until it has finished,
    loading is refused, so that half a shop is not taken for a whole one.
    """

    def load(self) -> SourceTree:
        DrawnFiles.refuse_unfinished(self.path)
        return SourceTree(self.path)

    def save(self, data: PendingItems[Any, bytes]) -> None:
        files = DrawnFiles(self.path, {item.id: item.key for item in data.items})
        files.begin()
        report = map_items(data, files)
        files.finish()
        self._logger.info("%s: %d files drawn, %d existing files kept", self.path, report.n_done, report.n_kept)

    def _exists(self) -> bool:
        return self.path.is_dir() and any(self.path.iterdir())
