"""Experiment: old and new ones bear the same tags."""

import mlflow
import pytest
from mlflow import MlflowClient

from weld_pipeline.tracking.experiment import open_experiment

KIND = {"mlflow.experimentKind": "custom_model_development"}


@pytest.fixture
def client(mlflow_alone):
    return MlflowClient()


@pytest.mark.parametrize(
    ("before", "after"), [({}, KIND), ({"mlflow.experimentKind": "genai"}, {"mlflow.experimentKind": "genai"})]
)
def test_missing_tag_is_added_and_a_chosen_one_kept(client, before, after):
    client.create_experiment("old", tags=before)
    open_experiment("old", KIND)
    assert client.get_experiment_by_name("old").tags == after
    with mlflow.start_run() as run:
        assert client.get_experiment(run.info.experiment_id).name == "old"
