"""Database of runs: whole or absent; what holds no run is set aside and what holds one is never touched."""

import sqlite3
from contextlib import closing

import pytest
from mlflow.exceptions import MlflowException

from weld_pipeline.core.errors import WeldError
from weld_pipeline.tracking import database
from weld_pipeline.tracking.database import whole_database


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A place for a database; making its tables takes seconds, so a stand-in makes one."""
    monkeypatch.setattr(database, "_QUIET_S", 0.0)
    monkeypatch.setattr(database.utils, "_get_latest_schema_revision", lambda: "last")
    monkeypatch.setattr(database.utils, "_initialize_tables", lambda engine: fill(engine.url.database, "last"))
    return tmp_path / "mlflow.db"


def fill(path, revision, *, runs=()):
    with closing(sqlite3.connect(path)) as file:
        file.execute("create table runs (run_uuid text)")
        file.executemany("insert into runs values (?)", [(run,) for run in runs])
        if revision:
            file.execute("create table alembic_version (version_num text)")
            file.execute("insert into alembic_version values (?)", (revision,))
        file.commit()


def open_database(path):
    with whole_database(f"sqlite:///{path}"):
        pass


def revision(path):
    with closing(sqlite3.connect(path)) as file:
        return file.execute("select version_num from alembic_version").fetchone()[0]


def names(path):
    return sorted(file.name for file in path.parent.iterdir())


@pytest.mark.parametrize("is_empty", [False, True])
def test_database_that_is_not_there_is_made_whole(path, is_empty):
    if is_empty:
        path.touch()
    open_database(path)
    assert (revision(path), names(path)) == ("last", ["mlflow.db", "mlflow.db.lock"])


def test_what_a_killed_making_left_beside_it_is_overwritten(path):
    path.with_name("mlflow.db.new").write_bytes(b"half")
    path.with_name("mlflow.db.new-journal").write_bytes(b"half")
    open_database(path)
    assert (revision(path), names(path)) == ("last", ["mlflow.db", "mlflow.db.lock"])


@pytest.mark.parametrize("half", [None, "earlier"])
def test_half_made_database_is_set_aside_with_a_message(path, half, caplog):
    fill(path, half)
    before = path.read_bytes()
    open_database(path)
    assert revision(path) == "last"
    (aside,) = path.parent.glob("mlflow.db.unfinished-*")
    assert aside.read_bytes() == before
    assert aside.name in caplog.text


@pytest.mark.parametrize(("made_by", "runs"), [("last", ()), ("last", ("a",)), ("earlier", ("a",)), (None, ("a",))])
def test_database_with_runs_or_with_all_tables_is_left_as_it_is(path, made_by, runs):
    fill(path, made_by, runs=runs)
    before = path.read_bytes()
    open_database(path)
    assert (path.read_bytes(), names(path)) == (before, ["mlflow.db", "mlflow.db.lock"])


def test_database_of_another_version_names_the_command_that_renews_it(path):
    fill(path, "earlier", runs=("a",))
    with (
        pytest.raises(WeldError, match=r"mlflow\.db: another version of MLflow wrote it; .* `mlflow db upgrade sqlite"),
        whole_database(f"sqlite:///{path}"),
    ):
        raise MlflowException("Detected out-of-date database schema (found version earlier, but expected last).")


def test_file_that_is_no_database_is_refused_and_kept(path):
    path.write_text("a text of some length, " * 100)
    with pytest.raises(WeldError, match="no SQLite database"):
        open_database(path)
    assert path.read_text().startswith("a text")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:5000", "sqlite:///:memory:", ""])
def test_what_is_no_file_is_left_to_its_server(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with whole_database(uri):
        assert list(tmp_path.iterdir()) == []
