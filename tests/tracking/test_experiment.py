"""Experiment: old and new ones bear the same tags."""

import mlflow
import pytest
from mlflow import MlflowClient

from weld_pipeline.tracking.experiment import open_experiment

KIND = {"mlflow.experimentKind": "custom_model_development"}


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)  # set below, for the whole process
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")  # so that what is set below is taken back
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'runs.db'}")
    yield MlflowClient()
    mlflow.set_tracking_uri(None)


@pytest.mark.parametrize(
    ("before", "after"), [({}, KIND), ({"mlflow.experimentKind": "genai"}, {"mlflow.experimentKind": "genai"})]
)
def test_missing_tag_is_added_and_a_chosen_one_kept(client, before, after):
    client.create_experiment("old", tags=before)
    open_experiment("old", KIND)
    assert client.get_experiment_by_name("old").tags == after
    with mlflow.start_run() as run:
        assert client.get_experiment(run.info.experiment_id).name == "old"
