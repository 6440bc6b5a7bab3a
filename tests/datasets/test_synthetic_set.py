"""A folder of synthetic images: empty, filled, and written by nobody but its own pipeline."""

import json

import pandas as pd
import pytest
from kedro.io import DatasetError

from weld_pipeline.core.tables import MANIFEST
from weld_pipeline.datasets.synthetic_set import SyntheticSetDataset


@pytest.fixture
def dataset(tmp_path):
    return SyntheticSetDataset(filepath=str(tmp_path))


def test_without_a_manifest_the_set_is_empty_and_does_not_exist(dataset):
    assert not dataset.exists()
    assert dataset.load().manifest.empty


def test_manifest_of_a_folder_is_loaded_and_previewed(dataset, tmp_path):
    known = {
        "sample_id": "s0",
        "source": "painted",
        "media": "image",
        "path": "s0.png",
        "split": "train",
        "status": "ok",
    }
    pd.DataFrame([dict.fromkeys(MANIFEST.columns) | known]).to_parquet(tmp_path / "manifest.parquet")
    assert dataset.exists()
    assert (dataset.load().root, dataset.load().manifest["sample_id"].tolist()) == (tmp_path, ["s0"])
    assert json.loads(json.dumps(dataset.preview()))["data"][0][0] == "s0"


def test_no_node_writes_a_synthetic_set(dataset):
    with pytest.raises(
        DatasetError, match="is filled by the pipeline that makes synthetic images; a str cannot be saved"
    ):
        dataset.save("x")
