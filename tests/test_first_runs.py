"""The first two runs of a project, at once: both succeed, each is one run in MLflow, and the screen tells their story."""

import re
import sqlite3
import subprocess
from contextlib import closing

import pytest
from PIL import Image

from tests.runs import BIN, copy_project

STEP = "ingestion.weld_photos.index_images"


@pytest.fixture(scope="module")
def outcome(project_root, tmp_path_factory):
    """A project after two runs of one step, each in a data folder of its own, that made one MLflow database."""
    project = copy_project(project_root, tmp_path_factory.mktemp("first") / "project")
    running = []
    for name in ("morning", "evening"):
        environment = project / "conf" / name
        environment.mkdir()
        (environment / "globals.yml").write_text(f"data: {name}\n")
        for label in ("good_welds", "bad_welds"):
            path = project / name / "01_raw/weld_photos" / label / "a.png"
            path.parent.mkdir(parents=True)
            Image.new("L", (8, 8)).save(path)
        command = [str(BIN / "kedro"), "run", f"--env={name}", "--pipeline=ingestion", f"--nodes={STEP}"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        running.append((name, subprocess.Popen(command, cwd=project, **streams)))
    return project, {name: (process.communicate()[0], process.returncode) for name, process in running}


def test_both_succeed_and_each_is_one_run(outcome):
    project, said = outcome
    assert {name: code for name, (_, code) in said.items()} == {"morning": 0, "evening": 0}, said
    with closing(sqlite3.connect(project / "mlflow.db")) as database:
        runs = database.execute("select name, status from runs").fetchall()
    assert runs == [("ingestion", "FINISHED")] * 2
    assert sorted(path.name for path in project.glob("mlflow.db*")) == ["mlflow.db", "mlflow.db.lock"]


@pytest.mark.parametrize("name", ["morning", "evening"])
def test_screen_tells_the_story_of_the_run_and_nothing_of_libraries(outcome, name):
    _, said = outcome
    lines = [re.sub(r"^\d\d:\d\d:\d\d INFO +", "", line) for line in said[name][0].splitlines()]
    assert lines[:2] == [f"ingestion in environment {name}: 1 steps", f"1/1 {STEP}"]
    assert re.fullmatch(r"1 steps done in .*", lines[-1])
    assert not [line for line in lines[2:-1] if not line.startswith(f"{STEP}: ")]  # it took long


@pytest.mark.parametrize("name", ["morning", "evening"])
def test_log_in_the_data_folder_has_every_message(outcome, name):
    project, _ = outcome
    text = (project / name / "run.log").read_text()
    assert "Saving data to weld_photos.index" in text
    assert (project / name / "02_intermediate/weld_photos/index.parquet").is_file()
