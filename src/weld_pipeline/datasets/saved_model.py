"""A trained model as safetensors."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from weld_pipeline.core.saved_model import SavedModel, describe, read_model, write_model


class SavedModelDataset(AbstractDataset[SavedModel, SavedModel]):
    """Writes a model whole or not at all; never unpickles.

    Args:
        filepath: The `.safetensors` file.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> SavedModel:
        return read_model(self._filepath)

    def save(self, data: SavedModel) -> None:
        write_model(self._filepath, data)

    def preview(self) -> JSONPreview:
        """Return family, architecture, training and provenance for Kedro-Viz; a trunk's many tensors are left out."""
        description = describe(self._filepath)
        del description["tensors"]
        return JSONPreview(json.dumps(description))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
