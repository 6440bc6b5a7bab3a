"""Training loop: best epoch on valid, patience, and the same bytes with and without a kill."""

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.training.batches import FeatureRows, in_order, shuffled
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import TrainingPlan, train
from weld_pipeline.nn.video.autoencoder import Autoencoder
from weld_pipeline.nn.video.classifier import LatentClassifier
from weld_pipeline.nn.video.learners import AutoencoderLearner, ClassifierLearner

VALUES = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


class Killed(BaseException):
    """Stands for the signal nobody can catch."""


class KilledAt(AutoencoderLearner):
    """Dies in the middle of an epoch."""

    def __init__(self, *args, epoch, **kwargs):
        super().__init__(*args, **kwargs)
        self.epoch = epoch

    def on_train_batch_end(self, *_):
        if self.current_epoch == self.epoch:
            raise Killed


def run(folder, *, kill_at=None, key="k", patience=100, max_epochs=6, learning_rate=1e-2, seed=3):
    def build():
        network = Autoencoder(n_features=6, hidden=5, latent=3)
        options = {"latent_penalty": 1e-4, "learning_rate": learning_rate}
        if kill_at is None:
            return AutoencoderLearner(network, **options)
        return KilledAt(network, epoch=kill_at, **options)

    rows = np.arange(40)
    data, valid = FeatureRows(VALUES, rows[:30], lambda x: x), FeatureRows(VALUES, rows[30:], lambda x: x)
    return train(
        build,
        batches=shuffled(data, 30, batch_size=8, seed=seed),
        valid_batches=in_order(valid, 10, batch_size=8),
        plan=TrainingPlan(max_epochs=max_epochs, patience=patience, monitor="valid_loss", mode="min", seed=seed),
        folder=folder if isinstance(folder, TrainingFolder) else TrainingFolder(folder),
        key=key,
    )


def assert_same(a, b):
    assert a.history == b.history
    assert a.best_epoch == b.best_epoch
    assert a.stopped_early == b.stopped_early
    assert all(np.array_equal(a.state[name], b.state[name]) for name in a.state)


def test_one_seed_gives_the_same_network_twice(tmp_path):
    assert_same(run(tmp_path / "a"), run(tmp_path / "b"))


def test_another_seed_gives_another_network(tmp_path):
    assert run(tmp_path / "a").history != run(tmp_path / "b", seed=4).history


@pytest.mark.parametrize("epoch", [0, 1, 4])
def test_killed_training_resumes_to_the_same_network(tmp_path, epoch):
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill_at=epoch)
    assert_same(run(tmp_path / "killed"), run(tmp_path / "whole"))


def test_finished_training_is_not_done_again(tmp_path):
    first = run(tmp_path)
    stamp = (tmp_path / "best.safetensors").stat().st_mtime_ns
    assert_same(run(tmp_path), first)
    assert (tmp_path / "best.safetensors").stat().st_mtime_ns == stamp


def test_finished_training_keeps_the_best_epoch_and_no_state_of_the_optimiser(tmp_path):
    run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.safetensors", "finished.json", "key.json"]


def test_last_checkpoint_stays_where_it_is_to_be_kept(tmp_path):
    run(TrainingFolder(tmp_path, keeps_last=True))
    assert (tmp_path / "last.ckpt").is_file()


def test_kill_between_the_note_of_the_end_and_the_last_checkpoint_costs_nothing(tmp_path):
    first = run(TrainingFolder(tmp_path, keeps_last=True))
    assert_same(run(tmp_path), first)
    assert not (tmp_path / "last.ckpt").exists()


@pytest.mark.parametrize("name", ["last.ckpt", "best.safetensors"])
def test_damaged_checkpoint_is_named_and_nothing_goes_on_from_it(tmp_path, name):
    with pytest.raises(Killed):
        run(tmp_path, kill_at=4)
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        WeldError, match=rf"{name}: .*damaged or changed.*; delete the folder .* and run the training again"
    ):
        run(tmp_path)


def test_checkpoint_of_another_training_is_named(tmp_path):
    for name, seed in (("mine", 3), ("other", 4)):
        with pytest.raises(Killed):
            run(tmp_path / name, kill_at=2, key=name, seed=seed)
    (tmp_path / "other" / "last.ckpt").replace(tmp_path / "mine" / "last.ckpt")
    with pytest.raises(WeldError, match=r"last\.ckpt: is a checkpoint of another training; delete the folder"):
        run(tmp_path / "mine", key="mine")


def test_checkpoints_of_other_data_or_parameters_are_thrown_away(tmp_path):
    run(tmp_path / "a", max_epochs=2, key="old", seed=9)
    assert_same(run(tmp_path / "a", key="new"), run(tmp_path / "b", key="new"))


def test_patience_stops_the_training_and_the_best_epoch_is_kept(tmp_path):
    # A rate this high makes the loss on valid rise at once.
    trained = run(tmp_path, learning_rate=1.0, patience=2, max_epochs=50)
    assert trained.stopped_early
    losses = [row["valid_loss"] for row in trained.history]
    assert trained.best_epoch == int(np.argmin(losses)) + 1
    assert len(losses) == trained.best_epoch + 2
    assert_same(run(tmp_path, learning_rate=1.0, patience=2, max_epochs=50), trained)


def test_loss_that_is_no_number_is_an_error_naming_the_epoch(tmp_path):
    with pytest.raises(WeldError, match=r"valid_loss is (nan|inf) in epoch \d+; lower the learning rate"):
        run(tmp_path, learning_rate=1e30)


def test_training_leaves_the_random_numbers_of_others_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(tmp_path, max_epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_resume_repeats_the_random_numbers_inside_the_network(tmp_path):
    """Dropout draws in every step; the second half of a training must draw what it would have drawn."""
    labels = torch.arange(40) % 3

    class Rows(torch.utils.data.Dataset):
        def __getitem__(self, index):
            return torch.from_numpy(VALUES[index]), labels[index]

    class Learner(ClassifierLearner):
        kill = False

        def on_train_batch_end(self, *_):
            if self.kill and self.current_epoch == 2:
                raise Killed

    def go(folder, kill):
        def build() -> pl.LightningModule:
            learner = Learner(
                LatentClassifier(latent=6, hidden=8, n_classes=3, dropout=0.5), learning_rate=1e-2, weight_decay=0.0
            )
            learner.kill = kill
            return learner

        plan = TrainingPlan(max_epochs=4, patience=9, monitor="valid_accuracy", mode="max", seed=1)
        return train(
            build,
            batches=shuffled(Rows(), 40, batch_size=8, seed=1),
            valid_batches=in_order(Rows(), 40, batch_size=40),
            plan=plan,
            folder=TrainingFolder(folder),
            key="k",
        )

    with pytest.raises(Killed):
        go(tmp_path / "killed", kill=True)
    assert_same(go(tmp_path / "killed", kill=False), go(tmp_path / "whole", kill=False))
