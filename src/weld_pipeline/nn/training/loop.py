"""Training loop that every network shares: Lightning's, with a resume that ends in the same bytes after a kill."""

import io
import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning_utilities.core import rank_zero
from torch.utils.data import DataLoader

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.progress import track
from weld_pipeline.nn.training.batches import EpochShuffle
from weld_pipeline.nn.training.folder import TrainingFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingPlan:
    """Length of a training, and which epoch is kept.

    Attributes:
        patience: Number of epochs without a better one after which training stops.
        monitor: Metric on valid that the best epoch is chosen by.
        mode: Whether the lowest or the highest value is best.
        seed: Seed of shuffling and of the network's own draws.
    """

    max_epochs: int
    patience: int
    monitor: str
    mode: Literal["min", "max"]
    seed: int


@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes:
        state: Tensors of the best epoch that were kept, under their names without the prefix.
        history: Every logged metric, one row for each epoch, with `epoch` from 1.
        best_epoch: Number of the best epoch, from 1.
        stopped_early: Whether patience ran out.
    """

    state: dict[str, np.ndarray]
    history: list[dict[str, float]]
    best_epoch: int
    stopped_early: bool

    def summary(self, plan: TrainingPlan) -> dict[str, Any]:
        """Return the record of the training for a model file."""
        best = self.history[self.best_epoch - 1]
        return {
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            "criterion": f"{plan.mode} {plan.monitor}",
            "stopped_early": self.stopped_early,
            "metrics": {name: value for name, value in best.items() if name != "epoch"},
        }


class _SealedCheckpointIO(CheckpointIO):
    """Writes the last checkpoint as a whole or not at all, and reads it sealed and without running code."""

    def __init__(self, folder: TrainingFolder) -> None:
        self.folder = folder

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        content = io.BytesIO()
        torch.save(checkpoint, content)
        self.folder.write_last(content.getbuffer())

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = None) -> dict[str, Any]:  # noqa: ARG002
        content = io.BytesIO(self.folder.read_last())
        checkpoint: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
        return checkpoint

    def remove_checkpoint(self, path: Any) -> None:
        raise NotImplementedError  # the folder knows when


class _Bookkeeping(pl.Callback):
    """Seeds each epoch, keeps the history, writes the best and the last checkpoint, stops when patience runs out.

    It is one callback instead of Lightning's three, because their states must lie in the same checkpoint: a kill between
    two of them would lose an epoch of one and not of the other.
    """

    def __init__(self, plan: TrainingPlan, folder: TrainingFolder, *, key: str, kept: str) -> None:
        self.plan, self.folder, self.key, self.kept = plan, folder, key, kept
        self.history: list[dict[str, float]] = []
        self.best_epoch = 0
        self._bar = track(range(plan.max_epochs), label=f"training {folder.path.name}", total=plan.max_epochs)

    @property
    def is_out_of_patience(self) -> bool:
        return len(self.history) - self.best_epoch >= self.plan.patience

    def state_dict(self) -> dict[str, Any]:
        return {"key": self.key, "history": self.history, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["key"] != self.key:
            raise WeldError(f"{self.folder.last}: is a checkpoint of another training; {self.folder.remedy}")
        self.history, self.best_epoch = state_dict["history"], state_dict["best_epoch"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        for _ in range(len(self.history) + 1):
            next(self._bar, None)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        if batch_idx == 0:  # not at the start of the epoch: Lightning skips that hook when it resumes
            torch.manual_seed(self.plan.seed * 1_000_003 + trainer.current_epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if not math.isfinite(metrics[self.plan.monitor]):
            raise WeldError(
                f"training {self.folder.path.name}: {self.plan.monitor} is {metrics[self.plan.monitor]} in epoch {epoch}; "
                "lower the learning rate"
            )
        self.history = [*self.history[: epoch - 1], {"epoch": float(epoch), **dict(sorted(metrics.items()))}]
        if self._is_best(metrics[self.plan.monitor]):
            self.best_epoch = epoch
            self.folder.write_best(_tensors_of(pl_module, self.kept), epoch=epoch, key=self.key)
        trainer.save_checkpoint(self.folder.last, weights_only=False)
        trainer.should_stop = self.is_out_of_patience
        next(self._bar, None)

    def _is_best(self, value: float) -> bool:
        if not self.best_epoch:
            return True
        best = self.history[self.best_epoch - 1][self.plan.monitor]
        return value < best if self.plan.mode == "min" else value > best


def _tensors_of(learner: pl.LightningModule, prefix: str) -> dict[str, np.ndarray]:
    state = {name: value for name, value in learner.state_dict().items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): value.cpu().contiguous().numpy() for name, value in sorted(state.items())}


def train(
    build: Callable[[], pl.LightningModule],
    *,
    batches: DataLoader[Any],
    valid_batches: DataLoader[Any],
    plan: TrainingPlan,
    folder: TrainingFolder,
    key: str,
    kept: str = "network.",
    accelerator: Literal["cpu", "auto"] = "cpu",
) -> Trained:
    """Return the best epoch of a training: new, resumed where a killed one stopped, or finished before.

    Equal keys end in equal tensors, with or without a kill: the order of batches and every random number depend on seed
    and epoch alone, and a checkpoint is written after each epoch.

    Args:
        build: Function that makes the learner; called under the plan's seed.
        batches: Batches from `shuffled`.
        valid_batches: Batches from `in_order`.
        key: Content key of data, parameters and architecture.
        kept: Prefix of the learner's tensors that are kept of the best epoch.
        accelerator: Accelerator; `cpu` for small networks, whose steps are shorter than the transfer to a GPU.

    Raises:
        WeldError: If the monitored metric is no number, or a checkpoint is not what was written.
    """
    folder.begin(key)
    outcome = folder.outcome()
    if outcome is None:
        with torch.random.fork_rng():
            torch.manual_seed(plan.seed)
            book = _resume(build(), batches, valid_batches, _Bookkeeping(plan, folder, key=key, kept=kept), accelerator)
        outcome = book.state_dict() | {"stopped_early": book.is_out_of_patience}
    folder.finish(outcome)  # also where a kill came between its note and the end of the last checkpoint
    history, best_epoch = outcome["history"], outcome["best_epoch"]
    logger.info("training %s: best of %d epochs is %d", folder.path.name, len(history), best_epoch)
    return Trained(folder.read_best(best_epoch, key=key), history, best_epoch, outcome["stopped_early"])


def _resume(
    learner: pl.LightningModule,
    batches: DataLoader[Any],
    valid_batches: DataLoader[Any],
    book: _Bookkeeping,
    accelerator: str,
) -> _Bookkeeping:
    last = book.folder.last
    if last.is_file():
        checkpoint = _SealedCheckpointIO(book.folder).load_checkpoint(last)
        book.load_state_dict(checkpoint["callbacks"][book.state_key])
        # Of the next epoch if the kill came between the two files; it is made again then. Damage is told before, not after.
        book.folder.read_best(book.best_epoch, len(book.history) + 1, key=book.key)
        logger.info("training %s goes on after epoch %d", book.folder.path.name, len(book.history))
    if len(book.history) < book.plan.max_epochs and not book.is_out_of_patience:
        _fit(learner, batches, valid_batches, book, accelerator)
    return book


def _fit(
    learner: pl.LightningModule,
    batches: DataLoader[Any],
    valid_batches: DataLoader[Any],
    book: _Bookkeeping,
    accelerator: str,
) -> None:
    # The name of Lightning's logger depends on which of its packages was imported last.
    rank_zero.log.setLevel(logging.WARNING)
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=book.plan.max_epochs,
        callbacks=[book],
        plugins=[_SealedCheckpointIO(book.folder)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    with warnings.catch_warnings():
        # The data are rows of a mapped file, so worker processes would cost more time than they save.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        resume = book.folder.last if book.folder.last.is_file() else None
        if isinstance(batches.sampler, EpochShuffle):
            # A resumed Lightning draws the first order before it says which epoch it is.
            batches.sampler.set_epoch(len(book.history))
        trainer.fit(learner, batches, valid_batches, ckpt_path=resume, weights_only=True)
