"""Shared by all tests: shapes checked at run time, real data, and a copy of the project to run in."""

import atexit
import fcntl
import gc
import os
import shutil
from pathlib import Path

from jaxtyping import install_import_hook

gc.disable()  # until all is imported
atexit.register(gc.unfreeze)  # else libraries report what is left as leaked

# Checks every annotated shape and type of the package in every test; it must come before the first import of it.
install_import_hook("weld_pipeline", "beartype.beartype")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from tests.runs import copy_project, copy_with_raw_files, kedro_run  # noqa: E402

# Speed is measured in benchmarks; a busy machine fails no test.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# Whole runs first: they take minutes, and what is short fills the other process meanwhile. Last what reads their outcome.
_TURN = {"test_run.py": 0, "test_contract.py": 2}


def pytest_collection_finish():
    """Take what was imported out of garbage collection: a test leaves little, and each full pass would visit it all."""
    gc.enable()
    gc.freeze()


def pytest_collection_modifyitems(items):
    """Order the files of tests."""
    items.sort(key=lambda item: _TURN.get(item.path.name, 1))


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout under test."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Give the path of what one process makes for all; nobody changes it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def path_of(name, make):
        path, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(path, ignore_errors=True)  # of a process that failed
                make(path)
                done.touch()
        return path

    return path_of


@pytest.fixture(scope="session")
def finished(project_root, made_once) -> Path:
    """A project in which sample data were drawn and everything was run."""

    def make(project):
        copy_project(project_root, project)
        kedro_run(project, "--pipeline=sample_data")
        kedro_run(project)

    return made_once("finished_project", make)


@pytest.fixture
def raw_only(project_root, finished, tmp_path) -> Path:
    """A project with the same raw files in which nothing was run."""
    return copy_with_raw_files(project_root, finished, tmp_path / "project")


@pytest.fixture
def mlflow_alone(tmp_path, monkeypatch):
    """An MLflow database of this test; where it records and into which experiment is forgotten afterwards."""
    import mlflow

    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
    for name in ("MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")  # so that what is set meanwhile is taken back
        monkeypatch.delenv(name)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    yield
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is skipped where none is given."""
    folder = os.environ.get("WELD_REAL_DATA")
    if not folder:
        pytest.skip("needs real data: set WELD_REAL_DATA to their folder")
    path = Path(folder).resolve()
    assert path.is_dir(), f"WELD_REAL_DATA={folder} is no folder"
    return path


@pytest.fixture(scope="session")
def film():
    """Encodes a small weld: dark, arc, dark. The arc flickers by chance, another way for each seed."""
    import av
    import numpy as np

    def encode(path, *, seed=0, dark=4, arc=60, tail=4, size=(96, 60), rate=31, codec="mpeg4"):
        generator = np.random.default_rng(seed)
        down, right = np.mgrid[: size[1], : size[0]] / np.array(size[::-1])[:, None, None]
        glow = np.exp(-(((right - 0.4) / 0.15) ** 2) - ((down - 0.55) / 0.2) ** 2)[:, :, None] * np.ones(3)
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for index in range(dark + arc + tail):
                is_on = dark <= index < dark + arc
                frame = (10 + is_on * generator.integers(150, 240) * glow).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return path

    return encode
