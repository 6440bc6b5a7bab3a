"""Training folder: where a training keeps its checkpoints."""

from weld_pipeline.datasets.base import ReadOnlyDataset
from weld_pipeline.nn.training.folder import TrainingFolder


class TrainingFolderDataset(ReadOnlyDataset[TrainingFolder]):
    """Loads a handle on the folder, which a training creates and fills; it is never the output of a node."""

    writer = "a training while it runs"

    def load(self) -> TrainingFolder:
        return TrainingFolder(self.path)

    def _exists(self) -> bool:
        return True
