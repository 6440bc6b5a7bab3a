"""Database of runs: an SQLite file that is whole or absent, also after a kill and where two first runs make it at once."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.store.db import utils
from sqlalchemy.engine import make_url

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.lock import FileLock

logger = logging.getLogger(__name__)

# Another program, such as `mlflow ui`, may be making the tables; it writes all the time while it does.
_QUIET_S = 10.0


@contextmanager
def whole_database(uri: str) -> Iterator[None]:
    """Hold the set-up of a database while the block opens its experiment; a file that is not there is made first.

    A file without a run, whose tables are not all there, was left by a process that was killed while it made them. It is
    set aside, never removed.

    Args:
        uri: Tracking URI; one that is no SQLite file is left to its server.

    Raises:
        WeldError: If the file is no database, or has runs and was written by another version of MLflow.
    """
    path = _file_of(uri)
    if path is None:
        yield
        return
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    lock.wait()
    try:
        _make_whole(path)
        yield
    except MlflowException as error:
        if "out-of-date database schema" not in str(error):
            raise
        raise WeldError(
            f"{path}: another version of MLflow wrote it; copy it away, then run `mlflow db upgrade {uri}`"
        ) from error
    finally:
        lock.free()


def _file_of(uri: str) -> Path | None:
    name = make_url(uri).database if uri.startswith("sqlite:") else None
    return Path(name) if name and name != ":memory:" else None


def _make_whole(path: Path) -> None:
    if not path.exists() or not path.stat().st_size:
        _make(path)
    elif not _has_runs(path) and not _is_finished(path):
        aside = path.with_name(f"{path.name}.unfinished-{datetime.now().astimezone():%Y%m%dT%H%M%S}")
        path.rename(aside)
        logger.warning("%s holds no run and not all tables, so a kill interrupted its making: now %s", path, aside.name)
        _make(path)


def _make(path: Path) -> None:
    """Make the tables in a file beside it, which then takes its name; the caller holds the lock."""
    new = path.with_name(f"{path.name}.new")
    for left in (new, new.with_name(f"{new.name}-journal")):
        left.unlink(missing_ok=True)  # of a process that was killed
    engine = utils.create_sqlalchemy_engine_with_retry(f"sqlite:///{new}")  # type: ignore[no-untyped-call]
    utils._initialize_tables(engine)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as `mlflow db upgrade` does
    engine.dispose()
    new.replace(path)


def _has_runs(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=60)) as database:
            is_there = database.execute("select 1 from sqlite_master where type = 'table' and name = 'runs'").fetchone()
            return bool(is_there and database.execute("select 1 from runs limit 1").fetchone())
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise WeldError(
            f"{path}: no SQLite database ({error}); move it away and the next run makes a new one, or bring a copy"
        ) from error


def _is_finished(path: Path) -> bool:
    """Return whether all tables are there, once nobody writes any more."""
    while not (is_finished := _has_last_revision(path)) and time.time() - path.stat().st_mtime < _QUIET_S:
        time.sleep(0.5)
    return is_finished


def _has_last_revision(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=60)) as database:
        if not database.execute("select 1 from sqlite_master where name = 'alembic_version'").fetchone():
            return False
        found = database.execute("select version_num from alembic_version").fetchone()
    last = utils._get_latest_schema_revision()  # type: ignore[no-untyped-call]  # noqa: SLF001 - no public name for it
    return bool(found) and found[0] == last
