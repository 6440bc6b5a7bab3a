"""From pooled latents to a decision and predictions, on a classifier that was never trained."""

import numpy as np
import pandas as pd
import pytest
import torch

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.tables import MANIFEST, PREDICTIONS, checked
from weld_pipeline.decision.policy import ClassPolicy, ProbabilityPolicy
from weld_pipeline.nn.state import tensors_of
from weld_pipeline.nn.video.classifier import LatentClassifier
from weld_pipeline.pipelines.video_classifier import nodes
from weld_pipeline.pipelines.video_classifier.params import CalibrationParams

CLASSES = ["Good", "Overlap", "Porosity"]
PARAMS = CalibrationParams(threshold=0.4)
N = 36


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    network = LatentClassifier(latent=4, hidden=8, n_classes=3)
    return SavedModel(
        "latent_classifier",
        network.architecture,
        tensors_of(network),
        provenance={"classes": CLASSES, "good_class": "Good"},
    )


@pytest.fixture(scope="module")
def run_latents():
    latents = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    table = pd.DataFrame(latents, columns=[f"latent_{index}" for index in range(4)])
    return table.assign(sample_id=[f"run {row}" for row in range(N)])


def manifest(*splits):
    rows = np.arange(N)
    label = np.array(CLASSES)[rows // len(splits) % 3]
    table = pd.DataFrame({name: [None] * N for name in MANIFEST.columns}).assign(
        sample_id=[f"run {row}" for row in rows],
        source="intel",
        media="video",
        path=[f"{row}.avi" for row in rows],
        label=label,
        is_defect=label != "Good",
        split=np.array(splits)[rows % len(splits)],
        session=[f"day {row % len(splits)}" for row in rows],
        status="ok",
    )
    return checked(table, MANIFEST)


def test_decision_is_fitted_on_calib_alone(run_latents, classifier):
    table = manifest("train", "calib", "test")
    found = nodes.fit_decision(run_latents, classifier, table, PARAMS)
    assert found.policy == ProbabilityPolicy(kind="p_defect", threshold=0.4)
    assert (found.calibrator.split, found.calibrator.n_good, found.calibrator.n_defect) == ("calib", 4, 8)
    of_calib = run_latents[(table["split"] == "calib").to_numpy()]
    assert nodes.fit_decision(of_calib, classifier, table, PARAMS) == found


def test_every_run_gets_a_prediction_and_a_calibrated_probability(run_latents, classifier):
    table = manifest("train", "calib", "test")
    found = nodes.fit_decision(run_latents, classifier, table, PARAMS)
    predictions = checked(nodes.predict_runs(run_latents, classifier, found, table), PREDICTIONS)
    assert predictions["sample_id"].tolist() == run_latents["sample_id"].tolist()
    assert predictions["p_defect"].to_numpy() == pytest.approx(found.p_defect(predictions["score"].to_numpy()))


def test_without_calib_the_class_decides_and_there_is_no_probability_of_a_defect(run_latents, classifier):
    table = manifest("train", "test")
    found = nodes.fit_decision(run_latents, classifier, table, PARAMS)
    assert (found.calibrator, found.policy) == (None, ClassPolicy(kind="class", good_class="Good"))
    assert "p_defect" not in nodes.predict_runs(run_latents, classifier, found, table)
