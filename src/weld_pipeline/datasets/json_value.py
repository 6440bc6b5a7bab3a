"""JSON value in a file, whole or not at all."""

import json
from typing import Any

from kedro_datasets._typing import JSONPreview

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_bytes
from weld_pipeline.datasets.base import FileDataset, json_preview


class JsonDataset(FileDataset[Any, Any]):
    """Saves and loads what JSON can say."""

    def load(self) -> Any:
        try:
            return json.loads(self.path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise WeldError(
                f"{self.path}: is damaged, it holds no JSON ({error}); run the pipeline that makes it again"
            ) from error

    def save(self, data: Any) -> None:
        write_bytes(self.path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())

    def preview(self) -> JSONPreview:
        """Return the value for Kedro-Viz."""
        return json_preview(self.load())
