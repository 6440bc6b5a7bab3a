"""Datasets of the networks: saved model, clip matrix, training folder, metrics."""

import json

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.datasets.matrix import ClipMatrixDataset
from weld_pipeline.datasets.metrics import MetricsDataset
from weld_pipeline.datasets.saved_model import SavedModelDataset
from weld_pipeline.datasets.training_folder import TrainingFolderDataset
from weld_pipeline.nn.video.clip_matrix import PendingMatrix, RunClips


def test_saved_model_comes_back_and_is_previewed_without_its_tensors(tmp_path):
    dataset = SavedModelDataset(filepath=str(tmp_path / "m.safetensors"))
    assert not dataset.exists()
    dataset.save(SavedModel("autoencoder", {"latent": 2}, {"w": np.ones(3, np.float32)}, training={"epochs": 4}))
    assert dataset.exists()
    assert dataset.load().tensors["w"].tolist() == [1, 1, 1]
    preview = json.loads(dataset.preview())
    assert preview["training"] == {"epochs": 4}
    assert "tensors" not in preview


def test_clip_matrix_comes_back_and_previews_its_shape(tmp_path):
    dataset = ClipMatrixDataset(filepath=str(tmp_path / "matrix"))
    assert not dataset.exists()
    run = RunClips("a", np.ones((2, 3), np.float32), np.array([0, 8]))
    dataset.save(PendingMatrix(lambda: iter([run]), n_features=3))
    assert dataset.load().n_clips() == {"a": 2}
    assert json.loads(dataset.preview()) == {"shape": [2, 3], "clips": {"a": 2}}


def test_training_folder_is_a_handle_beside_which_stands_what_it_runs_with(tmp_path):
    dataset = TrainingFolderDataset(filepath=str(tmp_path / "t"))
    dataset.save({"commit": "abc"})
    assert dataset.load().path == tmp_path / "t"
    assert not (tmp_path / "t").exists()
    assert json.loads((tmp_path / "t.json").read_text()) == {"commit": "abc"}


@pytest.fixture
def recorded(mlflow_alone):
    """An MLflow run that is being recorded."""
    with mlflow.start_run() as run:
        yield run.info.run_id


def test_metrics_of_every_epoch_reach_mlflow(tmp_path, recorded):
    data = {"loss": [{"value": 1.0 / step, "step": step} for step in range(1, 1501)]}
    MetricsDataset(filepath=str(tmp_path / "curves.json")).save(data)
    history = MlflowClient().get_metric_history(recorded, "loss")
    assert [(metric.step, metric.value) for metric in history] == [(row["step"], row["value"]) for row in data["loss"]]


def test_metrics_lie_in_a_file_too(tmp_path, recorded):
    dataset = MetricsDataset(filepath=str(tmp_path / "a/metrics.json"))
    assert not dataset.exists()
    data = {"accuracy": {"value": 0.5, "step": 0}}
    dataset.save(data)
    assert dataset.exists()
    assert MetricsDataset(filepath=str(tmp_path / "a/metrics.json")).load() == data
    assert MlflowClient().get_run(recorded).data.metrics == {"accuracy": 0.5}
