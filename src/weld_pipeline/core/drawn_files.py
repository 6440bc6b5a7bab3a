"""Drawn files in a folder: never over a person's own files, never mistaken for them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside, write_bytes, write_json

RECORD_NAME = "DRAWN.json"
_OTHER_FOLDER = (
    "`--params footage.source_root=FOLDER` (videos), `--params RECIPE.source_root=FOLDER` (images) or "
    "`--params anomaly_detector.source_root=FOLDER` (detectors)"
)
_NOTE = (
    "The files listed here were drawn by weld-pipeline from random numbers. They are no recordings of real welds, "
    "and numbers reached on them are no results."
)


class DrawnFiles:
    """A folder that takes drawn files where there are none; an `ItemStore` of bytes.

    `DRAWN.json` at its root lists the files, the key of each recipe, and whether the drawing has finished.

    Args:
        root: The folder; created if missing.
        keys: Content key of each file to draw, by path relative to `root`.
    """

    def __init__(self, root: Path, keys: Mapping[str, str]) -> None:
        self.root = root
        self.keys = keys

    def begin(self) -> None:
        """Record which files will be drawn.

        Raises:
            WeldError: If the folder holds files that no record lists as drawn, whatever their names, or files drawn from
                another recipe.
        """
        record = _record(self.root)
        if record is None:
            self._refuse_foreign()
        elif (changed := _first_difference(record["files"], self.keys)) is not None:
            raise WeldError(
                f"{self.root} holds files drawn with other parameters (first difference: {changed}), and existing "
                f"files are never drawn over; delete that folder, or name another, see {_OTHER_FOLDER}"
            )
        self._write_record(is_finished=record is not None and record["is_finished"])

    def finish(self) -> None:
        """Record that the set is complete."""
        self._write_record(is_finished=True)

    def key_of(self, item_id: str) -> str | None:
        """Return the key of a file that exists, so that it is left alone; else None."""
        return self.keys[item_id] if inside(self.root, item_id).exists() else None

    def write(self, item_id: str, key: str, result: bytes) -> None:  # noqa: ARG002 - `begin` has recorded all keys
        """Write one file atomically, unless one has appeared in its place."""
        path = inside(self.root, item_id)
        if not path.exists():
            write_bytes(path, result)

    @staticmethod
    def refuse_unfinished(root: Path) -> None:
        """Do nothing if `root` holds no drawn files or a complete set of them.

        Raises:
            WeldError: If a drawing has begun there and not finished.
        """
        record = _record(root)
        if record is not None and not record["is_finished"]:
            raise WeldError(
                f"drawing the sample in {root} was interrupted; "
                f"finish it with `kedro run --pipeline=sample_data`, which keeps what is there"
            )

    def _refuse_foreign(self) -> None:
        if not self.root.exists():
            return
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                name = path.relative_to(self.root).as_posix()
                raise WeldError(
                    f"{self.root} holds files that were not drawn (first: {name}), and drawn welds are never mixed with "
                    f"real ones; name an empty folder, see {_OTHER_FOLDER}"
                )

    def _write_record(self, *, is_finished: bool) -> None:
        write_json(self.root / RECORD_NAME, {"note": _NOTE, "is_finished": is_finished, "files": dict(self.keys)})


def drawn_names(root: Path) -> frozenset[str]:
    """Return the files under `root` that were drawn, as paths relative to it; none in a folder of recordings."""
    record = _record(root)
    return frozenset(record["files"]) if record else frozenset()


def _record(root: Path) -> dict[str, Any] | None:
    path = root / RECORD_NAME
    if not path.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text())
        return {"is_finished": bool(record["is_finished"]), "files": dict(record["files"])}
    except (ValueError, KeyError, TypeError) as error:
        raise WeldError(f"{path} cannot be read ({error!r}); delete {root} and draw the sample again") from error


def _first_difference(recorded: Mapping[str, str], wanted: Mapping[str, str]) -> str | None:
    return next((name for name in sorted({*recorded, *wanted}) if recorded.get(name) != wanted.get(name)), None)
