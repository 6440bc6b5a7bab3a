"""From a clip matrix to models, small enough to see that they learn."""

import numpy as np
import pytest

from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.video.clip_matrix import PendingMatrix, RunClips, read_matrix, write_matrix
from weld_pipeline.nn.video.fit import (
    Steps,
    fit_standardizer,
    pooled_latents,
    reconstruction_errors,
    restore_standardizer,
    train_autoencoder,
    train_classifier,
)
from weld_pipeline.nn.video.graph import restore_autoencoder, restore_classifier

TRUNK = {"fingerprint": "f", "weights": {"name": "w"}}
STEPS = Steps(batch_size=40, learning_rate=1e-2, max_epochs=15, patience=30, seed=0)


@pytest.fixture
def matrix(tmp_path):
    """Good runs lie on a plane through their features; bad ones leave it."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(2, 6))

    def runs():
        for index in range(24):
            kind = "bad" if index % 3 == 2 else "good"
            features = 5 + rng.normal(size=(8, 2)) @ plane
            if kind == "bad":
                features += rng.normal(size=(8, 6)) * 2
            yield RunClips(f"{kind}{index}", features.astype(np.float32), np.arange(8))

    write_matrix(tmp_path / "matrix", PendingMatrix(runs, n_features=6))
    return read_matrix(tmp_path / "matrix")


@pytest.fixture
def good(matrix):
    return [name for name in matrix.rows if name.startswith("good")]


def fit(matrix, good, folder, **changes):
    standardizer = fit_standardizer(matrix, good[:10], source="embedding", trunk=TRUNK)
    options = {"hidden": 16, "latent": 2, "latent_penalty": 1e-4, "steps": STEPS} | changes
    model, curves = train_autoencoder(
        matrix, standardizer, train_ids=good[:10], valid_ids=good[10:12], folder=TrainingFolder(folder), **options
    )
    return standardizer, model, curves


def test_autoencoder_of_good_welds_reconstructs_bad_ones_worse(matrix, good, tmp_path):
    standardizer, model, curves = fit(matrix, good, tmp_path / "t")
    errors = dict(
        zip(
            matrix.rows,
            reconstruction_errors(
                matrix, restore_standardizer(standardizer), restore_autoencoder(model), list(matrix.rows)
            ),
            strict=True,
        )
    )
    unseen = [errors[name] for name in good[12:]]
    assert min(errors[name] for name in errors if name.startswith("bad")) > max(unseen)
    assert curves["train_loss"][-1] < curves["train_loss"][0] / 2
    assert set(curves) == {"train_loss", "valid_loss", "valid_error"}


def test_model_says_how_it_was_trained_and_on_what(matrix, good, tmp_path):
    _, model, curves = fit(matrix, good, tmp_path / "t", steps=Steps(40, 1e-3, 3, 9, seed=0))
    assert model.architecture == {"n_features": 6, "hidden": 16, "latent": 2}
    assert model.training["epochs"] == len(curves["valid_loss"])
    assert model.training["criterion"] == "min valid_loss"
    assert model.training["metrics"]["valid_loss"] == min(curves["valid_loss"])
    assert model.provenance["n_train_runs"] == 10
    assert model.provenance["n_train_clips"] == 80
    assert model.provenance["train"] == matrix.digest(good[:10])
    assert model.provenance["standardizer"]["weights"] == {"name": "w"}


@pytest.mark.parametrize("change", [{"latent": 3}, {"latent_penalty": 1e-2}, {"steps": Steps(40, 3e-3, 2, 30, seed=1)}])
def test_other_parameters_never_go_on_with_old_checkpoints(matrix, good, tmp_path, change):
    short = {"steps": Steps(40, 3e-3, 2, 30, seed=0)}
    fit(matrix, good, tmp_path / "t", **short)
    _, again, _ = fit(matrix, good, tmp_path / "t", **short | change)
    _, fresh, _ = fit(matrix, good, tmp_path / "fresh", **short | change)
    assert all(np.array_equal(again.tensors[name], fresh.tensors[name]) for name in fresh.tensors)


def test_pooled_latent_is_the_mean_over_clips(matrix, good, tmp_path):
    standardizer, model, _ = fit(matrix, good, tmp_path / "t", steps=Steps(32, 1e-3, 1, 1, seed=0))
    statistics, autoencoder = restore_standardizer(standardizer), restore_autoencoder(model)
    pooled = pooled_latents(matrix, statistics, autoencoder, ["good0", "bad2"])
    values = np.asarray(matrix.values[matrix.rows["bad2"]])
    x = (values - standardizer.tensors["mean"]) / standardizer.tensors["std"]
    weights = model.tensors
    hidden = np.maximum(x @ weights["encoder.0.weight"].T + weights["encoder.0.bias"], 0)
    latent = hidden @ weights["encoder.2.weight"].T + weights["encoder.2.bias"]
    np.testing.assert_allclose(pooled[1], latent.mean(axis=0), rtol=1e-4, atol=1e-5)


def test_classifier_learns_what_can_be_separated(tmp_path):
    rng = np.random.default_rng(1)
    labels = np.arange(60) % 3
    latents = (rng.normal(size=(60, 4)) + 3 * np.eye(3, 4)[labels]).astype(np.float32)
    model, curves = train_classifier(
        latents,
        labels,
        is_valid=np.arange(60) >= 45,
        n_classes=3,
        hidden=16,
        dropout=0.0,
        weight_decay=0.0,
        steps=Steps(45, 3e-2, 15, 40, seed=0),
        folder=TrainingFolder(tmp_path),
    )
    assert max(curves["valid_accuracy"]) > 0.85
    assert model.provenance["n_valid_runs"] == 15
    assert restore_classifier(model).architecture == {"latent": 4, "hidden": 16, "n_classes": 3, "dropout": 0.0}
