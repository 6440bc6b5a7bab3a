import pytest
from kedro.io import DataCatalog

from weld_pipeline.datasets.html import HtmlDataset
from weld_pipeline.datasets.training_folder import TrainingFolderDataset


# `ItemStoreDataset`, whose arguments are its own, is left out: the type checker of the tests hides their names from Kedro.
@pytest.mark.parametrize("kind", [HtmlDataset, TrainingFolderDataset])
def test_catalog_entry_is_written_back_as_it_was_read(kind, tmp_path):
    dataset = kind(filepath=str(tmp_path / "a"), metadata={"kedro-viz": {"layer": "models"}})
    config, *_ = DataCatalog({"entry": dataset}).to_config()  # Kedro drops the metadata itself
    assert config["entry"] == {"type": f"{kind.__module__}.{kind.__name__}", "filepath": str(tmp_path / "a")}
