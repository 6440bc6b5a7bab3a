import pytest
from kedro.io import DataCatalog, DatasetError
from kedro_mlflow.io.artifacts import MlflowArtifactDataset

from weld_pipeline.datasets.base import FileDataset
from weld_pipeline.datasets.bundle import BundleDataset
from weld_pipeline.datasets.html import HtmlDataset
from weld_pipeline.datasets.record import RecordDataset
from weld_pipeline.datasets.synthetic_set import SyntheticSetDataset

DECISION = "weld_pipeline.decision.policy.Decision"


@pytest.mark.parametrize(
    ("kind", "options"), [(HtmlDataset, {}), (BundleDataset, {}), (RecordDataset, {"record": DECISION})], ids=str
)
def test_catalog_entry_comes_back_as_it_was_written(kind, options, tmp_path):
    entry = {"type": f"{kind.__module__}.{kind.__name__}", "filepath": str(tmp_path / "a"), **options}
    catalog = DataCatalog.from_config({"made": entry})
    config, *_ = catalog.to_config()
    assert {name: config["made"][name] for name in entry} == entry


def test_artifact_of_mlflow_finds_the_file(tmp_path):
    entry = {"type": f"{HtmlDataset.__module__}.HtmlDataset", "filepath": str(tmp_path / "page.html")}
    artifact = MlflowArtifactDataset(dataset=entry)
    artifact._logging_activated = False
    artifact.save("<p>")
    assert (tmp_path / "page.html").read_text() == "<p>"


def test_file_exists_once_it_was_saved_and_a_folder_once_its_last_file_was(tmp_path):
    class Folder(FileDataset):
        last_file = "last.txt"

        def load(self):
            return self.path

        def save(self, data):
            self.path.mkdir()

    page, folder = HtmlDataset(filepath=str(tmp_path / "page.html")), Folder(filepath=str(tmp_path / "folder"))
    page.save("<p>")
    folder.save("anything")
    assert (page.exists(), folder.exists()) == (True, False)
    (tmp_path / "folder" / "last.txt").touch()
    assert folder.exists()


def test_file_that_is_an_artifact_in_mlflow_is_saved_and_loaded_where_the_catalog_says(tmp_path):
    entry = {"type": f"{HtmlDataset.__module__}.{HtmlDataset.__name__}", "filepath": str(tmp_path / "page.html")}
    artifact = MlflowArtifactDataset(dataset=entry)
    artifact._logging_activated = False  # no run is being recorded
    artifact.save("<p>")
    assert (tmp_path / "page.html").read_text() == artifact.load() == "<p>"


def test_what_no_node_writes_says_who_does(tmp_path):
    dataset = SyntheticSetDataset(filepath=str(tmp_path / "synthetic"))
    with pytest.raises(DatasetError, match=f"is filled by {SyntheticSetDataset.writer}; a dict cannot be saved there"):
        dataset.save({})
    assert not (tmp_path / "synthetic").exists()
