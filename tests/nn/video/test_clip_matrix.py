"""The matrix on disk: streamed in, mapped out."""

import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.video.clip_matrix import PendingMatrix, RunClips, read_matrix, write_matrix

RUNS = [
    RunClips("b", np.array([[1, 2], [3, 4]], np.float32), np.array([0, 8])),
    RunClips("none", np.empty((0, 2), np.float32), np.empty(0, np.int64)),
    RunClips("a", np.array([[5, 6]], np.float32), np.array([16])),
]


def write(folder, runs=RUNS):
    write_matrix(folder, PendingMatrix(lambda: iter(runs), n_features=2))
    return read_matrix(folder)


def test_matrix_comes_back_with_the_rows_of_each_run(tmp_path):
    matrix = write(tmp_path)
    assert isinstance(matrix.values, np.memmap)
    assert matrix.values.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert matrix.start.tolist() == [0, 8, 16]
    assert matrix.n_clips() == {"b": 2, "none": 0, "a": 1}
    assert matrix.rows_of(["a", "b"]).tolist() == [0, 1, 2]
    assert matrix.rows_of(["none"]).tolist() == []
    assert np.load(tmp_path / "values.npy").shape == (3, 2)  # an ordinary .npy to anyone else


def test_matrix_without_a_clip_can_be_read(tmp_path):
    matrix = write(tmp_path, [RUNS[1]])
    assert matrix.values.shape == (0, 2)


def test_chunks_are_the_chosen_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("weld_pipeline.nn.video.clip_matrix._CHUNK_ROWS", 2)
    matrix = write(tmp_path)
    assert [chunk.tolist() for chunk in matrix.chunks(np.arange(3))] == [[[1, 2], [3, 4]], [[5, 6]]]


def test_digest_depends_on_names_and_numbers(tmp_path):
    matrix = write(tmp_path / "x")
    changed = [RunClips("b", RUNS[0].features + 1, RUNS[0].start), *RUNS[1:]]
    other = write(tmp_path / "y", changed)
    assert matrix.digest(["a"]) == other.digest(["a"])
    assert matrix.digest(["b"]) != other.digest(["b"])
    assert matrix.digest(["a", "none"]) != matrix.digest(["a"])


def test_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeldError, match="run zz: has no features"):
        write(tmp_path).rows_of(["a", "zz"])


def test_killed_writer_leaves_no_matrix(tmp_path):
    """Not even the one that was there: its index went first, so old rows are not read under a new index."""
    write(tmp_path)

    def dying():
        yield RUNS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_matrix(tmp_path, PendingMatrix(dying, n_features=2))
    with pytest.raises(WeldError, match="holds no finished clip matrix"):
        read_matrix(tmp_path)
