"""Training folder: where a training keeps its checkpoints."""

from typing import Any

from weld_pipeline.core.files import write_json
from weld_pipeline.datasets.base import FileDataset
from weld_pipeline.nn.training.folder import TrainingFolder


class TrainingFolderDataset(FileDataset[dict[str, Any], TrainingFolder]):
    """Saves what a training runs with beside its folder, and loads a handle on the folder, which the training fills."""

    def load(self) -> TrainingFolder:
        return TrainingFolder(self.path)

    def save(self, data: dict[str, Any]) -> None:
        write_json(self.path.with_name(f"{self.path.name}.json"), data)

    def _exists(self) -> bool:
        return True
