"""A matrix of clip features on disk."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from weld_pipeline.nn.video.clip_matrix import ClipMatrix, PendingMatrix, read_matrix, write_matrix


class ClipMatrixDataset(AbstractDataset[PendingMatrix, ClipMatrix]):
    """Writes a matrix run by run at save; gives it memory-mapped at load.

    Args:
        filepath: The folder.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> ClipMatrix:
        return read_matrix(self._folder)

    def save(self, data: PendingMatrix) -> None:
        write_matrix(self._folder, data)

    def preview(self) -> JSONPreview:
        """Return shape and clips per run for Kedro-Viz."""
        matrix = read_matrix(self._folder)
        return JSONPreview(json.dumps({"shape": matrix.values.shape, "clips": matrix.n_clips()}))

    def _exists(self) -> bool:
        return (self._folder / "index.json").is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
