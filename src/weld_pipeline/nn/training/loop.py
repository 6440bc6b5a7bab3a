"""The training loop every network here shares: Lightning's, made to resume to the same bytes after a kill."""

import logging
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import torch
from jaxtyping import Float, Int
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning_utilities.core import rank_zero
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path
from weld_pipeline.core.progress import track
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.read_ahead import read_ahead

logger = logging.getLogger(__name__)

_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class TrainingPlan:
    """How long a network is trained, and which epoch is kept.

    Attributes:
        max_epochs: Upper end.
        patience: Training stops after this many epochs without a better one.
        monitor: What the learner logs on valid and the best epoch is chosen by.
        mode: Whether its lowest or its highest value is best.
        seed: Of shuffling and of whatever the network draws.
    """

    max_epochs: int
    patience: int
    monitor: str
    mode: Literal["min", "max"]
    seed: int


@dataclass(frozen=True)
class Trained:
    """What a training ended in.

    Attributes:
        state: Tensors of the best epoch.
        history: Every metric the learner logged, a row an epoch, with `epoch` from 1.
        best_epoch: Counted from 1.
        stopped_early: True if patience ran out.
    """

    state: dict[str, Tensor]
    history: list[dict[str, float]]
    best_epoch: int
    stopped_early: bool

    def summary(self, plan: TrainingPlan) -> dict[str, Any]:
        """Return what a model file says of its training."""
        best = self.history[self.best_epoch - 1]
        return {
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            "criterion": f"{plan.mode} {plan.monitor}",
            "stopped_early": self.stopped_early,
            "metrics": {name: value for name, value in best.items() if name != "epoch"},
        }


class EpochShuffle(Sampler[list[int]]):
    """Batches of indices in an order that depends on seed and epoch alone, so a resumed epoch sees the same batches."""

    def __init__(
        self, n_rows: int, *, batch_size: int, seed: int, balanced: Int[np.ndarray, " N"] | None = None
    ) -> None:
        """Take the numbers.

        Args:
            n_rows: Rows there are.
            batch_size: Rows a batch, at most.
            seed: Of the order.
            balanced: Class of each row, if an epoch is to hold as many rows of every class: rows of a rare class come
                several times, and not every row of a frequent one comes.
        """
        super().__init__()
        self.n_rows, self.batch_size, self.seed = n_rows, batch_size, seed
        self.balanced = balanced
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Take the epoch's order; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.n_rows / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(self.n_rows if self.balanced is None else _balanced(self.balanced, generator))
        # Parts of nearly equal size: a last batch of one row would be a noisy step, and an error in a batch norm.
        return iter([part.tolist() for part in np.array_split(order, len(self))])


def _balanced(labels: Int[np.ndarray, " N"], generator: np.random.Generator) -> Int[np.ndarray, " N"]:
    """Return as many rows as there are, every class with the same share but for the remainder."""
    classes = generator.permutation(np.unique(labels))
    picked = []
    for place, label in enumerate(classes):
        n_wanted = len(labels) // len(classes) + (place < len(labels) % len(classes))
        rows = np.flatnonzero(labels == label)
        rounds = [generator.permutation(rows) for _ in range(math.ceil(n_wanted / len(rows)))]
        picked.append(np.concatenate(rounds)[:n_wanted])
    return np.concatenate(picked)


class _ReadAheadLoader(DataLoader[Any]):
    """Reads the next batches in a thread while the network is busy with one."""

    def __iter__(self) -> Any:
        return read_ahead(super().__iter__(), depth=_BATCHES_AHEAD)


def shuffled(
    data: Dataset[Any], n_rows: int, *, batch_size: int, seed: int, balanced: Int[np.ndarray, " N"] | None = None
) -> DataLoader[Any]:
    """Return batches for training; `data` is indexed with a list of rows, `balanced` as in `EpochShuffle`."""
    sampler = EpochShuffle(n_rows, batch_size=batch_size, seed=seed, balanced=balanced)
    return _ReadAheadLoader(data, batch_size=None, sampler=sampler)


def in_order(data: Dataset[Any], n_rows: int, *, batch_size: int) -> DataLoader[Any]:
    """Return batches for validation; `data` is indexed with a list of rows."""
    parts = [list(range(first, min(first + batch_size, n_rows))) for first in range(0, n_rows, batch_size)]
    return _ReadAheadLoader(data, batch_size=None, sampler=parts)


class _AtomicCheckpointIO(CheckpointIO):
    """Checkpoints that are whole or absent, and that run no code when opened."""

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
    """Seeds each epoch, keeps the history, writes best and last checkpoint, stops when patience runs out.

    One callback instead of Lightning's three, because what they know must lie in the same checkpoint: a kill between
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
    """Return the best epoch of a training, begun anew or gone on with where a killed one stopped.

    Equal keys end in equal tensors, killed in between or not: the order of batches and every random number depend on
    seed and epoch alone, and a checkpoint is written after each epoch.

    Args:
        build: Makes the learner; called under the plan's seed.
        batches: From `shuffled`.
        valid_batches: From `in_order`.
        plan: How long.
        folder: For the checkpoints.
        key: Content key of data, parameters and architecture.
        accelerator: `cpu` for small networks, whose steps are shorter than the way to a GPU.

    Raises:
        WeldError: If the criterion is no longer a number.
    """
    folder.begin(key)
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        book = _go_on(build(), batches, valid_batches, _Bookkeeping(plan, folder), accelerator)
    logger.info("training %s: best of %d epochs is %d", folder.path.name, len(book.history), book.best_epoch)
    return Trained(_read(folder.best)["state_dict"], book.history, book.best_epoch, book.is_out_of_patience)


def _go_on(
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
    # Under which name Lightning logs depends on who imported which of its packages last.
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
        # The data are rows of a mapped file: worker processes would cost more than they bring.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        resume = book.folder.last if book.folder.last.is_file() else None
        if isinstance(batches.sampler, EpochShuffle):
            # A resumed Lightning draws the first order before it says which epoch it is.
            batches.sampler.set_epoch(len(book.history))
        trainer.fit(learner, batches, valid_batches, ckpt_path=resume, weights_only=True)


class FeatureRows(Dataset[Float[Tensor, "B F"]]):
    """Some rows of a matrix on disk, through a transform, read a batch at a time."""

    def __init__(
        self,
        values: Float[np.ndarray, "N F"],
        rows: Int[np.ndarray, " n"],
        transform: Callable[[Float[Tensor, "B F"]], Float[Tensor, "B F"]],
    ) -> None:
        self.values, self.rows, self.transform = values, rows, transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: list[int]) -> Float[Tensor, "B F"]:
        return self.transform(torch.from_numpy(np.asarray(self.values[self.rows[index]])))
