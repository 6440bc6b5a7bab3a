"""A folder where a training keeps its checkpoints."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from weld_pipeline.nn.training.folder import TrainingFolder


class TrainingFolderDataset(AbstractDataset[Any, TrainingFolder]):
    """Gives a handle on the folder; what lies in it is the training's own and is never the output of a node.

    Args:
        filepath: The folder; made when a training begins.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> TrainingFolder:
        return TrainingFolder(self._folder)

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._folder} is filled by a training while it runs; {data!r} cannot be saved there")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
