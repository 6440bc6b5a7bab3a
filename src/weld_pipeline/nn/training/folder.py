"""Training folder: where a training keeps its checkpoints, and when it may resume from old ones. No torch here."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from weld_pipeline.core.files import write_json


@dataclass(frozen=True)
class TrainingFolder:
    """A folder with `last.ckpt`, `best.ckpt` and the key of their training."""

    path: Path

    @property
    def last(self) -> Path:
        """Return the checkpoint after the last finished epoch."""
        return self.path / "last.ckpt"

    @property
    def best(self) -> Path:
        """Return the checkpoint of the best epoch so far."""
        return self.path / "best.ckpt"

    def sub(self, name: str) -> "TrainingFolder":
        """Return the subfolder of one of several trainings."""
        return TrainingFolder(self.path / name)

    def begin(self, key: str) -> None:
        """Prepare the folder: checkpoints of the same key stay, all others are deleted.

        Args:
            key: Content key of data, parameters and code.
        """
        if self._key() != key:
            if self.path.exists():
                shutil.rmtree(self.path)
            write_json(self.path / "key.json", {"key": key})

    def _key(self) -> str | None:
        try:
            return str(json.loads((self.path / "key.json").read_text())["key"])
        except (FileNotFoundError, json.JSONDecodeError, KeyError):
            return None
