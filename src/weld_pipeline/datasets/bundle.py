"""A bundle folder: written whole or not at all, believed only when every hash fits."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from weld_pipeline.deploy.bundle import BundleContents, write_bundle
from weld_pipeline.runtime.bundle import DESCRIPTION, Bundle, load_bundle


class BundleDataset(AbstractDataset[BundleContents, Bundle]):
    """Saves `BundleContents` as a folder; gives the verified `Bundle` at load.

    Args:
        filepath: The folder.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Bundle:
        return load_bundle(self._filepath)

    def save(self, data: BundleContents) -> None:
        write_bundle(self._filepath, data)

    def preview(self) -> JSONPreview:
        """Return what the bundle says about itself for Kedro-Viz."""
        return JSONPreview(json.dumps(self.load().description.model_dump(mode="json")))

    def _exists(self) -> bool:
        return (self._filepath / DESCRIPTION).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
