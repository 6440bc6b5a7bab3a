"""Clip matrix: the features of all clips on disk."""

from kedro_datasets._typing import JSONPreview

from weld_pipeline.datasets.base import FileDataset, json_preview
from weld_pipeline.nn.video.clip_matrix import ClipMatrix, PendingMatrix, read_matrix, write_matrix


class ClipMatrixDataset(FileDataset[PendingMatrix, ClipMatrix]):
    """Saves a matrix run by run; loads it memory-mapped."""

    last_file = "index.json"

    def load(self) -> ClipMatrix:
        return read_matrix(self.path)

    def save(self, data: PendingMatrix) -> None:
        write_matrix(self.path, data)

    def preview(self) -> JSONPreview:
        """Return shape and clips per run for Kedro-Viz."""
        matrix = self.load()
        return json_preview({"shape": matrix.values.shape, "clips": matrix.n_clips()})
