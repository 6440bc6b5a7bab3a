"""`weld categories` with a stand-in for `kedro run`: which categories run, which are kept, and what is set beside what."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from typer.testing import CliRunner

from weld_pipeline.cli import app, category_runs
from weld_pipeline.core.lock import FileLock
from weld_pipeline.evaluation.anomaly.pixel_metrics import pixel_metrics
from weld_pipeline.evaluation.anomaly.record import anomaly_record
from weld_pipeline.evaluation.estimates import Protocol
from weld_pipeline.nn.weights.packages import WeightsPackage

POLICY = {"threshold": 0.5, "false_reject_rate": None, "chosen_by": "f1"}


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """One database for all: making its tables takes seconds."""
    return tmp_path_factory.mktemp("mlflow") / "runs.db"


@pytest.fixture
def project(project_root, tracked, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(project_root / "conf", folder / "conf")
    path = folder / "conf/base/mlflow.yml"
    path.write_text(path.read_text().replace("sqlite:///mlflow.db", f"sqlite:///{tracked}"))
    return folder


@pytest.fixture
def parts(tmp_path):
    """Three categories of one image each, and what is none."""
    root = tmp_path / "parts"
    for name in ("pipe", "flange", "bracket"):
        (root / name).mkdir(parents=True)
        (root / name / "a.png").write_bytes(b"image")
    (root / ".cache").mkdir()
    (root / "readme.txt").write_text("no category")
    return root


@pytest.fixture
def kedro(project, monkeypatch):
    """Stands for kedro: notes what it was asked and leaves a record where its configuration says, or fails."""
    made = SimpleNamespace(commands=[], broken=set())

    def run(command, cwd):
        options = dict(part.split("=", 1) for part in command[2:])
        name = options["--params"].split(",")[0].rsplit("/", 1)[-1]
        made.commands.append((name, options))
        if name in made.broken:
            return 1
        conf = yaml.safe_load((cwd / options["--conf-source"] / "base/globals.yml").read_text())
        left = {
            "08_reporting/patchcore/anomaly_metrics.json": record(len(name)),
            "08_reporting/reference/anomaly_metrics.json": record(2) | {"detector": "reference"},  # of an older run
            "09_delivery/patchcore/timing.json": {"ms": {"total": {"p50": 12.5}}},
        }
        for path, content in left.items():
            (project / conf["data"] / path).parent.mkdir(parents=True, exist_ok=True)
            (project / conf["data"] / path).write_text(json.dumps(content))
        return 0

    monkeypatch.setattr(category_runs, "_run", run)
    yield made
    mlflow.set_tracking_uri(None)


def record(n):
    """A detector that is right about n - 1 of n defective images."""
    rows = pd.DataFrame(
        {
            "session": [f"s{i}" for i in range(2 * n)],
            "label": ["good"] * n + ["crack"] * n,
            "is_defect": [False] * n + [True] * n,
            "score": [0.1] * n + [0.0] + [0.9] * (n - 1),
        }
    )
    protocol = Protocol(n_resamples=50)
    return anomaly_record(
        rows,
        category="raw",
        detector="patchcore",
        policy=POLICY,
        fails=(rows["score"] >= POLICY["threshold"]).to_numpy(),
        pixels=pixel_metrics([]),
        protocol=protocol,
    )


@pytest.fixture
def categories(project, parts, kedro):
    def run(*arguments):
        options = ["--pipeline=patchcore", "--env=test", f"--project={project}"]
        return CliRunner().invoke(app, ["categories", str(parts), *options, *arguments])

    return run


def table(project):
    return pd.read_csv(project / "data/08_reporting/categories/comparison.csv").set_index("category")


def test_every_category_runs_with_data_of_its_own_and_the_mean_follows(categories, kedro, project):
    done = categories()
    assert done.exit_code == 0, done.stderr
    assert [name for name, _ in kedro.commands] == ["bracket", "flange", "pipe"]
    # An AUROC of (n - 1) / n: 6/7, 5/6 and 3/4.
    found = table(project)["image_auroc"]
    assert found.to_dict() == pytest.approx(
        {"bracket": 6 / 7, "flange": 5 / 6, "pipe": 3 / 4, "mean": 0.8135}, abs=1e-4
    )
    assert table(project)["latency_p50_ms"].tolist() == [12.5] * 4
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert all(row.endswith("|") for row in rows), "a row was broken"
    assert {path.name for path in (project / "data/08_reporting/categories").iterdir()} == {
        "comparison.csv", "comparison.md", "comparison.png",
    }  # fmt: skip


def test_kedro_is_asked_for_the_pipeline_environment_and_parameters(categories, kedro, project, parts):
    categories("--category=pipe", "--params=patchcore.fit.coreset_size=9")
    ((_, options),) = kedro.commands
    assert (options["--pipeline"], options["--env"]) == ("patchcore", "test")
    assert options["--params"] == f"anomaly_detector.source_root={parts}/pipe,patchcore.fit.coreset_size=9"
    given = yaml.safe_load((project / "conf/base/globals.yml").read_text())
    own = yaml.safe_load((project / "data/categories/pipe/conf/base/globals.yml").read_text())
    assert own == given | {"data": "data/categories/pipe"}


def test_second_call_runs_nothing_and_gives_the_same_table(categories, kedro, project):
    categories()
    before = table(project)
    done = categories()
    assert len(kedro.commands) == 3
    assert done.stdout.count("finished before, kept") == 3
    pd.testing.assert_frame_equal(table(project), before)


def test_what_changed_runs_again(categories, kedro, project, parts):
    categories()
    kedro.commands.clear()
    (parts / "pipe/b.png").write_bytes(b"another")
    os.utime(parts / "flange/a.png", ns=(1, 1))
    categories()
    assert [name for name, _ in kedro.commands] == ["flange", "pipe"]
    kedro.commands.clear()
    categories("--params=patchcore.fit.seed=1", "--category=pipe")
    categories("--category=bracket", "--again")
    path = project / "conf/test/parameters_anomaly_detector.yml"
    path.write_text(path.read_text() + "# another\n")
    categories("--category=bracket")
    assert [name for name, _ in kedro.commands] == ["pipe", "bracket", "bracket"]


def test_category_that_fails_is_named_and_left_out(categories, kedro, project):
    kedro.broken.add("flange")
    done = categories()
    assert done.exit_code == 2
    assert (
        "categories flange left no measures of patchcore, see their messages above; the table is without them"
        in done.stderr
    )
    assert table(project).index.tolist() == ["bracket", "pipe", "mean"]
    kedro.broken.clear()
    kedro.commands.clear()
    assert categories().exit_code == 0
    assert [name for name, _ in kedro.commands] == ["flange"]


def test_category_that_fails_where_it_once_worked_is_not_kept(categories, kedro, project, parts):
    categories()
    (parts / "pipe/a.png").unlink()
    kedro.broken.add("pipe")
    assert categories().exit_code == 2
    assert "pipe" not in table(project).index
    (parts / "pipe/a.png").write_bytes(b"image")
    assert categories().exit_code == 2
    assert kedro.commands[-1][0] == "pipe"


def test_run_that_measures_nothing_is_named(project, parts, kedro):
    arguments = ["categories", str(parts), "--pipeline=training", "--env=test", f"--project={project}"]
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, "bracket, flange, pipe left no measures of training" in done.stderr) == (2, True)


def test_missing_delivery_leaves_the_latency_open(categories, kedro, project):
    categories()
    (project / "data/categories/pipe/09_delivery/patchcore/timing.json").unlink()
    assert categories().exit_code == 0
    assert table(project)["latency_p50_ms"].isna().to_dict() == {
        "bracket": False,
        "flange": False,
        "pipe": True,
        "mean": True,
    }


def test_category_is_named_as_the_experiment_takes_it(kedro, project, parts):
    (parts / "pipe").rename(parts / "pipe (1)")
    done = CliRunner().invoke(
        app, ["categories", str(parts), "--pipeline=patchcore", "--env=test", f"--project={project}"]
    )
    assert done.exit_code == 0
    assert "pipe (1)" in table(project).index


def test_secrets_are_not_copied(categories, project):
    (project / "conf/local").mkdir(exist_ok=True)
    (project / "conf/local/credentials.yml").write_text("key: secret\n")
    categories()
    assert not list((project / "data/categories").rglob("credentials.yml"))
    assert (project / "data/categories/pipe/conf/test").is_dir()


def test_weights_that_came_later_run_it_again(categories, kedro, project, tmp_path):
    categories("--category=pipe")
    (project / "data/06_models/pretrained").mkdir(parents=True)
    (project / "data/06_models/pretrained/resnet18.a1_in1k.safetensors").write_bytes(b"weights")
    categories("--category=pipe")
    own = tmp_path / "own.safetensors"
    own.write_bytes(b"own")
    asked = ("--category=pipe", f"--params=patchcore.trunk.weights={own}")
    categories(*asked)
    own.write_bytes(b"other")
    categories(*asked)
    categories(*asked)
    assert len(kedro.commands) == 4


def test_package_of_weights_that_went_runs_it_again(categories, kedro, monkeypatch):
    categories("--category=pipe")
    monkeypatch.setattr(WeightsPackage, "find", lambda _: None)
    categories("--category=pipe")
    categories("--category=pipe")
    assert len(kedro.commands) == 2


def test_no_table_is_made_of_nothing(categories, kedro, project):
    kedro.broken |= {"pipe", "flange", "bracket"}
    done = categories()
    assert (done.exit_code, "bracket, flange, pipe left no measures of patchcore" in done.stderr) == (2, True)
    assert not (project / "data/08_reporting/categories").exists()


def test_comparison_is_logged_in_the_experiment_of_the_environment(categories, parts, tracked):
    (parts / "pipe").rename(parts / "plate")
    categories("--category=plate", "--category=flange")
    client = MlflowClient(f"sqlite:///{tracked}")
    (experiment,) = [found for found in client.search_experiments() if found.name != "Default"]
    assert experiment.name == "weld_pipeline_test"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    # The database is that of all tests here; the last command's runs come first.
    runs = client.search_runs([experiment.experiment_id])[:4]
    (parent,) = [run for run in runs if run.info.run_name == "categories"]
    children = {
        run.info.run_name: run.data for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    }
    assert {name: data.metrics["image_auroc"] for name, data in children.items()} == pytest.approx(
        {"patchcore plate": 4 / 5, "patchcore flange": 5 / 6, "patchcore mean": (4 / 5 + 5 / 6) / 2}
    )
    tags = children["patchcore plate"].tags
    assert [tags[name] for name in ("family", "member", "category")] == ["anomaly_detector", "patchcore", "plate"]


@pytest.mark.parametrize(
    ("folder", "option", "message"),
    [
        ("nowhere", None, "no such folder; name the one that holds a folder a category"),
        ("pipe", None, "holds no folder; name the one above the categories"),
        (".", "--category=pump", "'pump' is not there, only bracket, flange, pipe"),
    ],
)
def test_folder_without_the_categories_is_refused(project, parts, folder, option, message):
    arguments = ["categories", str(parts / folder), f"--project={project}", *([option] if option else [])]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_folder_whose_name_kedro_would_cut_is_refused(project, parts):
    (parts / "pipe, welded").mkdir()
    done = CliRunner().invoke(app, ["categories", str(parts), f"--project={project}"])
    assert (done.exit_code, "parts values at commas; rename that folder" in done.stderr) == (2, True)


def test_folder_that_is_no_project_is_refused(parts, tmp_path):
    done = CliRunner().invoke(app, ["categories", str(parts), f"--project={tmp_path}"])
    assert (done.exit_code, "go to the project's folder, or name it with --project" in done.stderr) == (2, True)


def test_second_command_on_the_same_categories_is_refused(categories, kedro, project):
    lock = FileLock(project / "data/categories/.run.lock")
    lock.take(thing="categories", next_step="wait")
    done = categories()
    lock.free()
    assert (done.exit_code, kedro.commands) == (2, [])
    assert "works in it; wait for its end" in done.stderr


# Runs a command that takes a second to tidy up, as `kedro run` does to end its MLflow runs.
VICTIM = """
    import sys
    from pathlib import Path
    from weld_pipeline.cli.category_runs import _run
    child = "import signal, sys, time\\n" \\
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), print('tidy', flush=True), sys.exit(143)))\\n" \\
        "print('running', flush=True)\\ntime.sleep(60)"
    _run([sys.executable, "-c", child], Path())
"""


def test_stopped_command_stops_its_run_and_waits_until_it_has_tidied_up(tmp_path):
    arguments = [sys.executable, "-c", textwrap.dedent(VICTIM)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "running\n"
        os.kill(process.pid, signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert out == "tidy\n"
