"""Made images, which need not be there."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from weld_pipeline.core.synthetic_set import SyntheticSet
from weld_pipeline.core.tables import MANIFEST, checked


class SyntheticSetDataset(AbstractDataset[Any, SyntheticSet]):
    """Gives the images a synthesis made and their manifest; none, and an empty manifest, as long as there are none.

    A set counts as there once its `manifest.parquet` is, which whoever makes images writes last.

    Args:
        filepath: The folder; `manifest.parquet` lies in it, and the images below it.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._root = Path(filepath)
        self.metadata = metadata

    def load(self) -> SyntheticSet:
        if not self._exists():
            return SyntheticSet(self._root, checked(pd.DataFrame(columns=list(MANIFEST.columns)), MANIFEST))
        return SyntheticSet(self._root, checked(pd.read_parquet(self._manifest), MANIFEST))

    def save(self, data: Any) -> None:
        raise DatasetError(
            f"{self._root}: refused to write a {type(data).__name__}; the folder is filled by the pipeline that makes images"
        )

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows of the manifest for Kedro-Viz."""
        import json  # noqa: PLC0415

        return TablePreview(json.loads(self.load().manifest.head(nrows).to_json(orient="split")))

    @property
    def _manifest(self) -> Path:
        return self._root / "manifest.parquet"

    def _exists(self) -> bool:
        return self._manifest.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._root)}
