"""Training loop that every network shares: Lightning's, with a resume that ends in the same bytes after a kill."""

import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning_utilities.core import rank_zero
from torch import Tensor
from torch.utils.data import DataLoader

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path
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
        state: Tensors of the best epoch.
        history: Every logged metric, one row for each epoch, with `epoch` from 1.
        best_epoch: Number of the best epoch, from 1.
        stopped_early: Whether patience ran out.
    """

    state: dict[str, Tensor]
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


class _AtomicCheckpointIO(CheckpointIO):
    """Writes checkpoints as a whole or not at all, and reads them without running code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        with atomic_path(Path(path)) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = None) -> dict[str, Any]:  # noqa: ARG002
        return _read(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink()


def _read(path: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint


class _Bookkeeping(pl.Callback):
    """Seeds each epoch, keeps the history, writes the best and the last checkpoint, stops when patience runs out.

    It is one callback instead of Lightning's three, because their states must lie in the same checkpoint: a kill between
    two of them would lose an epoch of one and not of the other.
    """

    def __init__(self, plan: TrainingPlan, folder: TrainingFolder) -> None:
        self.plan, self.folder = plan, folder
        self.history: list[dict[str, float]] = []
        self.best_epoch = 0
        self._bar = track(range(plan.max_epochs), label=f"training {folder.path.name}", total=plan.max_epochs)

    @property
    def is_out_of_patience(self) -> bool:
        return len(self.history) - self.best_epoch >= self.plan.patience

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history, self.best_epoch = state_dict["history"], state_dict["best_epoch"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        for _ in range(len(self.history) + 1):
            next(self._bar, None)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        if batch_idx == 0:  # not at the start of the epoch: Lightning skips that hook when it resumes
            torch.manual_seed(self.plan.seed * 1_000_003 + trainer.current_epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
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
            trainer.save_checkpoint(self.folder.best, weights_only=False)
        trainer.save_checkpoint(self.folder.last, weights_only=False)
        trainer.should_stop = self.is_out_of_patience
        next(self._bar, None)

    def _is_best(self, value: float) -> bool:
        if not self.best_epoch:
            return True
        best = self.history[self.best_epoch - 1][self.plan.monitor]
        return value < best if self.plan.mode == "min" else value > best


def train(
    build: Callable[[], pl.LightningModule],
    *,
    batches: DataLoader[Any],
    valid_batches: DataLoader[Any],
    plan: TrainingPlan,
    folder: TrainingFolder,
    key: str,
    accelerator: Literal["cpu", "auto"] = "cpu",
) -> Trained:
    """Return the best epoch of a training, new or resumed where a killed one stopped.

    Equal keys end in equal tensors, with or without a kill: the order of batches and every random number depend on seed
    and epoch alone, and a checkpoint is written after each epoch.

    Args:
        build: Function that makes the learner; called under the plan's seed.
        batches: Batches from `shuffled`.
        valid_batches: Batches from `in_order`.
        key: Content key of data, parameters and architecture.
        accelerator: Accelerator; `cpu` for small networks, whose steps are shorter than the transfer to a GPU.

    Raises:
        WeldError: If the monitored metric is no number.
    """
    folder.begin(key)
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        book = _resume(build(), batches, valid_batches, _Bookkeeping(plan, folder), accelerator)
    logger.info("training %s: best of %d epochs is %d", folder.path.name, len(book.history), book.best_epoch)
    return Trained(_read(folder.best)["state_dict"], book.history, book.best_epoch, book.is_out_of_patience)


def _resume(
    learner: pl.LightningModule,
    batches: DataLoader[Any],
    valid_batches: DataLoader[Any],
    book: _Bookkeeping,
    accelerator: str,
) -> _Bookkeeping:
    last = book.folder.last
    if last.is_file():
        book.load_state_dict(_read(last)["callbacks"][book.state_key])
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
        plugins=[_AtomicCheckpointIO()],
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
