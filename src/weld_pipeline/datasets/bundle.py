"""Bundle folder: written whole or not at all, accepted only when every hash fits."""

from kedro_datasets._typing import JSONPreview

from weld_pipeline.datasets.base import FileDataset, json_preview
from weld_pipeline.deploy.bundle import BundleContents, write_bundle
from weld_pipeline.runtime.bundle import DESCRIPTION, Bundle, load_bundle


class BundleDataset(FileDataset[BundleContents, Bundle]):
    """Saves `BundleContents` as a folder; loads the verified `Bundle`."""

    last_file = DESCRIPTION

    def load(self) -> Bundle:
        return load_bundle(self.path)

    def save(self, data: BundleContents) -> None:
        write_bundle(self.path, data)

    def preview(self) -> JSONPreview:
        """Return the bundle's description for Kedro-Viz."""
        return json_preview(self.load().description.model_dump(mode="json"))
