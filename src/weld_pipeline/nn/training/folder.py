"""Training folder: where a training keeps its checkpoints, and when it may resume from old ones. No torch here."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_bytes
from weld_pipeline.core.sealed_tensors import DamageError, seal_tensors, unsealed_header
from weld_pipeline.core.seals import read_record, read_sealed, write_record, write_sealed

logger = logging.getLogger(__name__)

# Raise it when the files of the folder change: what an earlier version left is not resumed.
_FORMAT = 2


@dataclass(frozen=True)
class TrainingFolder:
    """A folder with `last.ckpt`, `best.safetensors` and the key of their training; all of them sealed.

    Attributes:
        keeps_last: Whether the last checkpoint, with the state of the optimiser, stays when the training has finished.
    """

    path: Path
    keeps_last: bool = False

    @property
    def last(self) -> Path:
        """Return the checkpoint after the last finished epoch; it goes when the training has finished."""
        return self.path / "last.ckpt"

    @property
    def best(self) -> Path:
        """Return the tensors of the best epoch so far."""
        return self.path / "best.safetensors"

    def sub(self, name: str) -> "TrainingFolder":
        """Return the subfolder of one of several trainings."""
        return TrainingFolder(self.path / name, self.keeps_last)

    def begin(self, key: str) -> None:
        """Prepare the folder: checkpoints of the same key stay, all others are deleted.

        Args:
            key: Content key of data, parameters and code.
        """
        if self._key() != [_FORMAT, key]:
            if self.path.exists():
                shutil.rmtree(self.path)
            write_record(self.path / "key.json", {"key": [_FORMAT, key]})

    def write_last(self, content: memoryview) -> None:
        """Keep the checkpoint of an epoch."""
        write_sealed(self.last, content)

    def read_last(self) -> bytes:
        """Return the checkpoint after the last finished epoch.

        Raises:
            WeldError: If it is not what was written.
        """
        return read_sealed(self.last, remedy=self.remedy)

    def write_best(self, tensors: Mapping[str, np.ndarray], *, epoch: int, key: str) -> None:
        """Keep the tensors of the best epoch so far of the training of this key."""
        write_bytes(self.best, seal_tensors(tensors, {"epoch": str(epoch), "key": key}))

    def read_best(self, *epochs: int, key: str) -> dict[str, np.ndarray]:
        """Return the tensors of the best epoch.

        Args:
            epochs: Those that it may be of.

        Raises:
            WeldError: If they are missing, not what was written, or of another epoch or training.
        """
        try:
            content = self.best.read_bytes()
            found = unsealed_header(content)["__metadata__"]
        except (FileNotFoundError, DamageError) as error:
            raise WeldError(f"{self.best}: {error}; {self.remedy}") from error
        if found.get("epoch") not in map(str, epochs) or found.get("key") != key:
            raise WeldError(f"{self.best}: is not of epoch {epochs[0]} of this training; {self.remedy}")
        return load(content)

    def finish(self, outcome: Mapping[str, Any]) -> None:
        """Note how the training ended; what only a resumed one needs goes, unless it is to be kept."""
        write_record(self._finished, outcome)
        if not self.keeps_last:
            self.last.unlink(missing_ok=True)

    def outcome(self) -> dict[str, Any] | None:
        """Return what `finish` noted, or None if the training has not finished.

        Raises:
            WeldError: If it is not what was written.
        """
        return read_record(self._finished, remedy=self.remedy) if self._finished.is_file() else None

    @property
    def _finished(self) -> Path:
        return self.path / "finished.json"

    @property
    def remedy(self) -> str:
        """Return what to do where one of its files is damaged."""
        return f"delete the folder {self.path} and run the training again, which then begins anew"

    def _key(self) -> list[Any] | None:
        path = self.path / "key.json"
        try:
            return list(read_record(path, remedy="the training begins anew")["key"]) if path.is_file() else None
        except WeldError as error:
            logger.warning("%s", error)
            return None
