"""Synthetic set: a folder of synthetic images with their manifest, which may be empty."""

import json

import pandas as pd
from kedro_datasets._typing import TablePreview

from weld_pipeline.core.synthetic_set import SyntheticSet
from weld_pipeline.core.tables import MANIFEST, checked
from weld_pipeline.datasets.base import ReadOnlyDataset


class SyntheticSetDataset(ReadOnlyDataset[SyntheticSet]):
    """Loads synthetic images and their manifest; as long as there are none, the manifest is empty.

    The folder holds the images and `manifest.parquet`. Whoever writes images writes the manifest last, so the set exists
    from then on.
    """

    last_file = "manifest.parquet"
    writer = "the pipeline that makes synthetic images"

    def load(self) -> SyntheticSet:
        if not self._exists():
            return SyntheticSet(self.path, checked(pd.DataFrame(columns=list(MANIFEST.columns)), MANIFEST))
        return SyntheticSet(self.path, checked(pd.read_parquet(self.path / self.last_file), MANIFEST))

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows of the manifest for Kedro-Viz."""
        return TablePreview(json.loads(self.load().manifest.head(nrows).to_json(orient="split")))
