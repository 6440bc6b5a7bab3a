"""Clip matrix: the features of all clips on disk, and the rows of each run. No torch here."""

import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path, sha256_file, write_bytes
from weld_pipeline.core.seals import read_record, write_record

_CHUNK_ROWS = 4096
_ARRAYS = ("values.npy", "start.npy")
_REMEDY = "make it again with `kedro run --pipeline=video_classifier`"


@dataclass(frozen=True)
class RunClips:
    """Clips of one run.

    Attributes:
        start: First frame of each clip.
    """

    sample_id: str
    features: Float[np.ndarray, "W F"]
    start: Int[np.ndarray, " W"]


@dataclass(frozen=True)
class PendingMatrix:
    """A matrix that is not written yet.

    Attributes:
        runs: Function that yields the runs one at a time; the writer calls it once.
    """

    runs: Callable[[], Iterator[RunClips]]
    n_features: int


@dataclass(frozen=True)
class ClipMatrix:
    """Features of all clips, read from disk when needed.

    Attributes:
        values: Memory-mapped features, one row for each clip.
        start: First frame of each clip.
        rows: Rows of each run, in order; a run without clips has an empty slice.
    """

    values: Float[np.ndarray, "N F"]
    start: Int[np.ndarray, " N"]
    rows: Mapping[str, slice]

    def n_clips(self) -> dict[str, int]:
        """Return the number of clips of each run."""
        return {name: part.stop - part.start for name, part in self.rows.items()}

    def rows_of(self, sample_ids: Collection[str]) -> Int[np.ndarray, " n"]:
        """Return the row numbers of some runs, in the order of the matrix.

        Raises:
            WeldError: If a run is not in the matrix.
        """
        if missing := sorted(set(sample_ids) - set(self.rows)):
            raise WeldError(f"run {missing[0]}: has no features; run feature_extraction again")
        wanted = set(sample_ids)
        parts = [np.arange(part.start, part.stop) for name, part in self.rows.items() if name in wanted]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def chunks(self, rows: Int[np.ndarray, " n"]) -> Iterator[Float[np.ndarray, "_ F"]]:
        """Yield some rows, a few thousand at a time."""
        for first in range(0, len(rows), _CHUNK_ROWS):
            yield np.asarray(self.values[rows[first : first + _CHUNK_ROWS]])

    def digest(self, sample_ids: Sequence[str]) -> str:
        """Return the SHA-256 of the clips of some runs, with their names and counts."""
        digest = hashlib.sha256()
        for name in sample_ids:
            part = self.rows[name]
            digest.update(f"{name}\0{part.stop - part.start}\0".encode())
            digest.update(np.ascontiguousarray(self.values[part]).data)
        return digest.hexdigest()


def write_matrix(folder: Path, pending: PendingMatrix) -> None:
    """Write the matrix run by run, in the memory of one run.

    The index is deleted first and written last, so a killed writer leaves nothing that looks like a matrix. It is sealed
    and holds the hash of each array.
    """
    (folder / "index.json").unlink(missing_ok=True)
    counts: list[tuple[str, int]] = []
    starts = [np.empty(0, np.int64)]
    with atomic_path(folder / "values.npy") as temporary, temporary.open("r+b") as file:
        _write_header(file, 0, pending.n_features)
        for run in pending.runs():
            file.write(np.ascontiguousarray(run.features, dtype="<f4").data)
            counts.append((run.sample_id, len(run.features)))
            starts.append(run.start)
        file.seek(0)
        # NumPy pads its header for a growing first axis, so both headers have the same length.
        _write_header(file, sum(n for _, n in counts), pending.n_features)
    start = io.BytesIO()
    np.save(start, np.concatenate(starts))
    write_bytes(folder / "start.npy", start.getvalue())
    hashes = {name: sha256_file(folder / name) for name in _ARRAYS}
    write_record(folder / "index.json", {"runs": counts, "n_features": pending.n_features, "files": hashes})


def read_matrix(folder: Path) -> ClipMatrix:
    """Return the matrix in a folder.

    Raises:
        WeldError: If none was completed there, or a file is not what was written.
    """
    index = folder / "index.json"
    if not index.is_file():
        raise WeldError(f"{folder} holds no finished clip matrix (index.json is missing); {_REMEDY}")
    record = read_record(index, remedy=_REMEDY)
    for name in _ARRAYS:
        if not (folder / name).is_file() or sha256_file(folder / name) != record["files"][name]:
            raise WeldError(f"{folder / name}: is missing, or was damaged or changed after it was written; {_REMEDY}")
    rows, first = {}, 0
    for name, n_clips in record["runs"]:
        rows[name] = slice(first, first + n_clips)
        first += n_clips
    # An empty file cannot be mapped.
    values = np.load(folder / "values.npy", mmap_mode="r" if first else None)
    return ClipMatrix(values, np.load(folder / "start.npy"), rows)


def _write_header(file: object, n_rows: int, n_features: int) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, n_features)}
    np.lib.format.write_array_header_1_0(file, header)  # type: ignore[arg-type]
