"""Tracking hooks on a small graph: who gets a run, what is written to it, and how it ends."""

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner
from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig
from kedro_mlflow.io.artifacts import MlflowArtifactDataset
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path
from pydantic import BaseModel

from weld_pipeline import hooks
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import data_hash
from weld_pipeline.datasets.json_value import JsonDataset
from weld_pipeline.datasets.metrics import MetricsDataset
from weld_pipeline.tracking.plugin import MlflowPlugin

FAMILIES = (
    SimpleNamespace(name="image_classifier", members=("plates", "pipes")),
    SimpleNamespace(name="anomaly_detector", members=("patches",)),
)
RUN_PARAMS = {
    "env": "test", "tags": None, "node_names": None, "from_nodes": None, "to_nodes": None, "from_inputs": None,
    "load_versions": None, "pipeline_names": ["fake"],
}  # fmt: skip


class Trunk(BaseModel):
    name: str
    layers: list[str]


def index(params: int) -> pd.DataFrame:
    rows = [(f"{params}_{i}", f"{i}", "good", split, "ok") for i, split in enumerate(["train", "train", "test"])]
    return pd.DataFrame(rows, columns=["sample_id", "sha256", "label", "split", "status"])


def train(manifest: pd.DataFrame, trunk: Trunk, wish: str) -> tuple[dict, dict]:
    if wish == "fail":
        raise ValueError("the training went wrong")
    curves = {"net.loss": [{"value": 1 / step, "step": step} for step in (1, 2, 3)]}
    return {"is_random": True, "name": trunk.name}, curves


def evaluate(weights: dict, mlflow_run_id: str | None, params: dict) -> tuple[dict, dict]:
    found = {"accuracy": {"value": 0.75, "step": 0}, "accuracy.low": {"value": 0.5, "step": 0}}
    return found, {"mlflow_run_id": mlflow_run_id, "split": params["split"]}


def compare(*records: dict) -> dict:
    return {"n": len(records)}


def ingestion(space: str) -> Pipeline:
    node = Node(index, "params:seed", "manifest", name="index", tags={"ingestion"})
    return Pipeline([node], namespace=space, tags={space}, prefix_datasets_with_namespace=True)


def chain(member: str, source: str | None = None) -> Pipeline:
    nodes = [
        Node(
            train, ["manifest", "params:trunk", "params:wish"], ["weights", "curves"], name="train", tags={"training"}
        ),
        Node(
            evaluate,
            ["weights", "params:mlflow_run_id", "params:evaluation"],
            ["metrics", "report"],
            name="evaluate",
            tags={"evaluation"},
        ),
    ]
    shared = {"manifest": f"{source}.manifest"} if source else {}
    return Pipeline(
        nodes,
        namespace=member,
        tags={member},
        inputs=shared,
        parameters={"params:evaluation", "params:mlflow_run_id"},
        prefix_datasets_with_namespace=True,
    )


def whole() -> Pipeline:
    """Two recipes with manifests of their own, a detector that shares one, and what sets them beside each other."""
    records = [f"{member}.report" for member in ("plates", "pipes", "patches")]
    comparison = Node(
        compare, records, "detectors.comparison", name="compare", namespace="detectors", tags={"evaluation"}
    )
    chains = ingestion("plates") + chain("plates") + ingestion("pipes") + chain("pipes")
    return chains + ingestion("seams") + chain("patches", source="seams") + Pipeline([comparison])


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One database for all: making its tables takes seconds."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture
def tracked(database, tmp_path, monkeypatch):
    """Runs a pipeline under the hooks, in an experiment of its own, as a Kedro session would."""
    monkeypatch.setattr(hooks, "FAMILIES", FAMILIES)
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)  # set below, for the whole process
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")  # so that what is set below is taken back
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    monkeypatch.chdir(tmp_path)
    config = KedroMlflowConfig.model_validate(
        {
            "server": {"mlflow_tracking_uri": f"sqlite:///{database / 'runs.db'}"},
            "tracking": {
                "experiment": {"name": tmp_path.name, "create_experiment_kwargs": {"artifact_location": str(tmp_path)}},
                "disable_tracking": {"pipelines": ["untracked"]},
            },
        }
    )
    config.setup(SimpleNamespace(project_path=tmp_path, _get_config_credentials=dict))
    experiment = config.tracking.experiment._experiment.experiment_id

    def run(pipeline, runner=None, wishes=(), name="fake"):
        tracking = hooks.TrackingHooks()
        tracking._plugin = MlflowPlugin()
        tracking._plugin.mlflow_config, tracking._plugin._already_active_mlflow = (
            config,
            mlflow.active_run() is not None,
        )
        manager = _create_hook_manager()
        manager.register(tracking)
        catalog = fake_catalog(tmp_path, wishes)
        told = {"run_params": RUN_PARAMS | {"pipeline_names": [name]}, "pipeline": pipeline, "catalog": catalog}
        manager.hook.before_pipeline_run(**told)
        try:
            (runner or SequentialRunner()).run(pipeline, catalog, manager)
        except Exception as error:
            manager.hook.on_pipeline_error(error=error, **told)
            raise
        manager.hook.after_pipeline_run(run_result={}, **told)
        return catalog

    def found():
        runs = MlflowClient().search_runs([experiment], max_results=100)
        return {run.info.run_name: run for run in runs}

    yield SimpleNamespace(run=run, found=found, experiment=experiment)
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


def fake_catalog(folder, wishes):
    catalog = DataCatalog({"params:mlflow_run_id": MemoryDataset(None)})
    catalog["params:evaluation"] = MemoryDataset({"split": "test"})
    for number, space in enumerate(("plates", "pipes", "patches", "seams")):
        catalog[f"params:{space}.seed"] = MemoryDataset(number)
        catalog[f"params:{space}.trunk"] = MemoryDataset(Trunk(name=f"net_of_{space}", layers=["one", "two"]))
        catalog[f"params:{space}.wish"] = MemoryDataset("fail" if space in wishes else "work")
        for name in ("metrics", "curves"):
            catalog[f"{space}.{name}"] = MetricsDataset(filepath=str(folder / space / f"{name}.json"))
        catalog[f"{space}.report"] = artifact(folder / space / "report.json")
    catalog["detectors.comparison"] = artifact(folder / "comparison.json")
    return catalog


def artifact(path):
    return MlflowArtifactDataset(dataset={"type": JsonDataset, "filepath": str(path)})


def artifacts(run):
    return [file.path for file in MlflowClient().list_artifacts(run.info.run_id)]


def artifact_file(run, name):
    return Path(local_file_uri_to_path(run.info.artifact_uri)) / name


def test_artifact_is_on_disk_once_and_stays_what_it_was_when_a_later_run_writes_the_file(tracked, tmp_path):
    tracked.run(whole())
    logged, written = artifact_file(tracked.found()["plates"], "report.json"), tmp_path / "plates" / "report.json"
    assert logged.samefile(written)
    before = logged.read_bytes()
    tracked.run(whole())
    assert logged.read_bytes() == before != written.read_bytes()


@pytest.mark.parametrize("runner", [SequentialRunner, lambda: SequentialRunner(is_async=True), ThreadRunner])
def test_every_member_has_a_child_with_the_same_names_and_its_own_values(tracked, runner, tmp_path):
    tracked.run(whole(), runner())
    runs = tracked.found()
    assert set(runs) == {"fake", "plates", "pipes", "patches"}
    parent = runs.pop("fake")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert {run.info.status for run in (parent, *runs.values())} == {"FINISHED"}
    assert {name: run.data.tags["family"] for name, run in runs.items()} == {
        "plates": "image_classifier", "pipes": "image_classifier", "patches": "anomaly_detector",
    }  # fmt: skip
    for name, run in runs.items():
        assert run.data.metrics == {"accuracy": 0.75, "accuracy.low": 0.5, "net.loss": pytest.approx(1 / 3)}
        own = {
            "trunk.name": f"net_of_{name}",
            "trunk.layers": "['one', 'two']",
            "wish": "work",
            "evaluation.split": "test",
        }
        assert run.data.params == own | ({} if name == "patches" else {"seed": str(["plates", "pipes"].index(name))})
        assert run.data.tags["weights.is_random"] == "True"
        assert {"code.commit", "code.is_dirty", "env"} <= set(run.data.tags)
        assert artifacts(run) == ["report.json"]
        assert json.loads((tmp_path / name / "report.json").read_text())["mlflow_run_id"] == run.info.run_id
        history = MlflowClient().get_metric_history(run.info.run_id, "net.loss")
        assert [(metric.step, metric.value) for metric in history] == [(1, 1), (2, 1 / 2), (3, 1 / 3)]
    assert (parent.data.metrics, artifacts(parent)) == ({}, ["comparison.json"])
    assert parent.data.params == {"seams.seed": "3"}
    assert {"version.torch", "code.commit"} <= set(parent.data.tags)


def test_data_set_is_an_input_of_the_child_with_its_digest(tracked):
    catalog = tracked.run(whole())
    runs = tracked.found()
    for member, source in (("plates", "plates"), ("pipes", "pipes"), ("patches", "seams")):
        (given,) = runs[member].inputs.dataset_inputs
        sha256 = data_hash(index(catalog.load(f"params:{source}.seed")))
        assert (given.dataset.name, given.dataset.digest) == (source, sha256[:36])
        assert runs[member].data.tags["data.sha256"] == sha256
        assert json.loads(given.dataset.profile) == {"num_rows": 3, "in_use": 3, "test": 1, "train": 2}
    assert runs["plates"].data.tags["data.sha256"] != runs["pipes"].data.tags["data.sha256"]
    assert runs["fake"].data.tags["seams.data.sha256"] == runs["patches"].data.tags["data.sha256"]


def test_only_members_that_run_get_a_child(tracked):
    tracked.run(ingestion("seams") + chain("patches", source="seams"), name="patches")
    runs = list(MlflowClient().search_runs([tracked.experiment]))
    assert sorted(run.data.tags.get("member", "the command") for run in runs) == ["patches", "the command"]


def test_part_of_a_chain_writes_to_a_child_of_its_own(tracked):
    tracked.run(whole())
    part = whole().only_nodes_with_tags("evaluation").only_nodes_with_namespaces(["plates"])
    assert part.inputs() == {"plates.weights", "params:mlflow_run_id", "params:evaluation"}
    before = {run.info.run_id for run in MlflowClient().search_runs([tracked.experiment])}
    nodes = Pipeline([Node(lambda: {"is_random": False}, None, "plates.weights", name="made_before")])
    tracked.run(nodes + part)
    new = [run for run in MlflowClient().search_runs([tracked.experiment]) if run.info.run_id not in before]
    assert sorted(run.info.run_name for run in new) == ["fake", "plates"]
    (child,) = [run for run in new if run.info.run_name == "plates"]
    assert child.data.params == {"evaluation.split": "test"}
    assert child.data.tags["weights.is_random"] == "False"


def test_ingestion_alone_opens_no_child(tracked):
    tracked.run(ingestion("plates") + ingestion("seams"))
    (run,) = tracked.found().values()
    assert (run.info.run_name, run.info.status) == ("fake", "FINISHED")
    assert run.data.params == {"plates.seed": "0", "seams.seed": "3"}
    assert run.data.tags["plates.data.sha256"] == data_hash(index(0))


def test_untracked_pipeline_leaves_no_run_and_still_writes_its_files(tracked, tmp_path):
    tracked.run(whole(), name="untracked")
    assert tracked.found() == {}
    assert json.loads((tmp_path / "plates/report.json").read_text()) == {"mlflow_run_id": None, "split": "test"}


@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
def test_failure_closes_the_command_and_its_children_as_failed(tracked, runner):
    with pytest.raises(ValueError, match="the training went wrong"):
        tracked.run(whole(), runner(), wishes={"pipes"})
    runs = tracked.found()
    assert {"fake", "pipes"} <= set(runs)
    assert {run.info.status for run in runs.values()} == {"FAILED"}
    assert mlflow.active_run() is None


def test_run_of_another_program_stays_open_and_is_the_parent(tracked):
    with mlflow.start_run(experiment_id=tracked.experiment, run_name="outer") as outer:
        tracked.run(whole())
        assert MlflowClient().get_run(outer.info.run_id).info.status == "RUNNING"
    runs = tracked.found()
    assert set(runs) == {"outer", "plates", "pipes", "patches"}
    assert runs["plates"].data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert runs["plates"].info.status == "FINISHED"


def test_artifact_is_loaded_from_its_file_after_it_was_saved(tracked, tmp_path):
    catalog = tracked.run(whole())
    path = tmp_path / "plates/report.json"
    path.write_text('{"changed": true}')
    assert catalog.load("plates.report") == {"changed": True}


# Opens a command's run with one child and waits to be killed.
VICTIM = """
    import signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins without
    import mlflow
    from weld_pipeline.tracking.command_run import CommandRun
    mlflow.set_tracking_uri(sys.argv[1])
    run = mlflow.start_run(experiment_id=sys.argv[2], run_name="killed")
    command = CommandRun(run.info.run_id, sys.argv[2], {"plates": "image_classifier"}, {})
    command.begin()
    command.run_of("plates")
    print("open", flush=True)
    time.sleep(300)
"""


@pytest.mark.parametrize(("how", "before"), [(signal.SIGINT, "KILLED"), (signal.SIGKILL, "RUNNING")])
def test_killed_run_is_called_killed_at_the_latest_by_the_next_one(tracked, tmp_path, how, before):
    arguments = [sys.executable, "-c", textwrap.dedent(VICTIM), mlflow.get_tracking_uri(), tracked.experiment]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"open\n"
        tracked.run(ingestion("seams"))
        assert {tracked.found()[name].info.status for name in ("killed", "plates")} == {"RUNNING"}, "it is alive"
        os.kill(process.pid, how)
    assert {tracked.found()[name].info.status for name in ("killed", "plates")} == {before}
    tracked.run(ingestion("seams"))
    assert {tracked.found()[name].info.status for name in ("killed", "plates")} == {"KILLED"}


@pytest.fixture
def folder(tmp_path):
    """A project's data folder, and the hooks of a run in it."""
    context = SimpleNamespace(project_path=tmp_path, config_loader={"globals": {"data": "shop"}})
    made = []

    def run():
        held = hooks.DataFolderHooks()
        held._context = context
        made.append(held)
        return held

    yield run
    for held in made:
        held.on_pipeline_error()


@pytest.mark.parametrize("end", ["after_pipeline_run", "on_pipeline_error"])
def test_second_run_in_a_data_folder_is_refused_until_the_first_ends(folder, tmp_path, end):
    first, second = folder(), folder()
    first.before_pipeline_run()
    with pytest.raises(WeldError, match=rf"data folder {tmp_path}/shop: process {os.getpid()} on .* works in it"):
        second.before_pipeline_run()
    getattr(first, end)()
    second.before_pipeline_run()


def test_run_that_was_interrupted_in_a_notebook_does_not_refuse_the_next(folder):
    held = folder()
    held.before_pipeline_run()
    held.before_pipeline_run()


def test_what_a_killed_run_left_is_gone_when_the_next_one_begins(folder, tmp_path):
    left = tmp_path / "shop" / "06_models" / ".m.safetensors.ab12cd34.weld-tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    (left.parent / "m.safetensors").write_bytes(b"whole")
    folder().before_pipeline_run()
    assert [path.name for path in left.parent.iterdir()] == ["m.safetensors"]


def test_context_alone_takes_no_lock_and_makes_no_folder(folder, tmp_path):
    folder()
    assert list(tmp_path.iterdir()) == []


def test_log_of_a_run_holds_what_the_screen_leaves_out(folder, tmp_path):
    held = folder()
    held.before_pipeline_run()
    logging.getLogger("kedro.io.data_catalog").warning("Saving data to plates.report")
    held.after_pipeline_run()
    logging.getLogger("kedro.io.data_catalog").warning("after the run")
    text = (tmp_path / "shop/run.log").read_text()
    assert "kedro.io.data_catalog: Saving data to plates.report" in text
    assert "after the run" not in text


def test_story_counts_the_steps_and_says_how_long_a_long_one_took(caplog, monkeypatch):
    clock = iter([0.0, 1.0, 4.5, 5.0, 5.5, 200.0])
    monkeypatch.setattr(hooks.time, "monotonic", lambda: next(clock))
    story = hooks.StoryHooks()
    one, other = (Node(len, "a", name, name=name) for name in ("one", "other"))
    with caplog.at_level(logging.INFO, logger="weld_pipeline.hooks"):
        story.before_pipeline_run({"pipeline_names": None, "env": None}, Pipeline([one, other]))
        story.before_node_run(one)
        story.after_dataset_saved(one)
        story.before_node_run(other)
        story.after_dataset_saved(other)
        story.after_pipeline_run()
    assert [record.getMessage() for record in caplog.records] == [
        "__default__ in environment base: 2 steps",
        "1/2 one",
        "one: 3.5 s",
        "2/2 other",
        "2 steps done in 3 min 20 s",
    ]
