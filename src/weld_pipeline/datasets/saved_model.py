"""Saved model: a trained model as safetensors."""

from kedro_datasets._typing import JSONPreview

from weld_pipeline.core.saved_model import SavedModel, describe, read_model, write_model
from weld_pipeline.datasets.base import FileDataset, json_preview


class SavedModelDataset(FileDataset[SavedModel, SavedModel]):
    """Saves a model whole or not at all, and loads it if it is what was saved; never unpickles."""

    def load(self) -> SavedModel:
        return read_model(self.path, remedy=f"make it again with `kedro run --pipeline={self.path.parent.name}`")

    def save(self, data: SavedModel) -> None:
        write_model(self.path, data)

    def preview(self) -> JSONPreview:
        """Return family, architecture, training and provenance for Kedro-Viz; a trunk's many tensors are left out."""
        description = describe(self.path)
        del description["tensors"]
        return json_preview(description)
