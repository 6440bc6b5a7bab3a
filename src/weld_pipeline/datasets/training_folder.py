"""Training folder: where a training keeps its checkpoints."""

from typing import Any

from weld_pipeline.core.files import write_json
from weld_pipeline.datasets.base import FileDataset
from weld_pipeline.nn.training.folder import TrainingFolder


class TrainingFolderDataset(FileDataset[dict[str, Any], TrainingFolder]):
    """Saves what a training runs with beside its folder, and loads a handle on the folder, which the training fills.

    Args:
        filepath: The folder.
        keeps_last: Whether the last checkpoint stays when the training has finished.
        metadata: Settings of plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, keeps_last: bool = False, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self._keeps_last = keeps_last

    def load(self) -> TrainingFolder:
        return TrainingFolder(self.path, self._keeps_last)

    def save(self, data: dict[str, Any]) -> None:
        write_json(self.path.with_name(f"{self.path.name}.json"), data)

    def _exists(self) -> bool:
        return True
