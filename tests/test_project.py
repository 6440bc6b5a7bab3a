"""Contracts of the configuration, held for every pipeline and every dataset there will ever be."""

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from pydantic import BaseModel

from weld_pipeline.pipelines.families import FAMILIES

LAYERS = {
    "01_raw": "raw",
    "02_intermediate": "intermediate",
    "03_primary": "primary",
    "04_feature": "feature",
    "05_model_input": "model_input",
    "06_models": "models",
    "07_model_output": "model_output",
    "08_reporting": "reporting",
    "09_delivery": "delivery",
}
SCALARS = (str, int, float, bool)
# The steps that cut across families, in the order of the flow.
STEPS = ("ingestion", "feature_extraction", "training", "calibration", "evaluation", "export", "inspection", "overview")
MEMBERS = [(family, member) for family in FAMILIES for member in family.members]
# What a machine at the line, or a person who looks into a file, should not have to load.
HEAVY = ("torch", "torchvision", "timm", "lightning", "kedro", "mlflow", "pandas", "scipy", "matplotlib")
# What Kedro itself asks for, and what sets categories beside each other in a table.
LOADED_FOR_KEDRO, LOADED_FOR_CATEGORIES = "weld_pipeline.cli.project", "weld_pipeline.cli.category_runs"


@pytest.fixture(scope="module")
def pipelines(project_root):
    bootstrap_project(project_root)
    from kedro.framework.project import pipelines

    return dict(pipelines)


@pytest.fixture(scope="module")
def context(project_root):
    bootstrap_project(project_root)
    with KedroSession.create(project_path=project_root, env="base") as session:
        yield session.load_context()


def test_plugin_does_not_record_what_our_own_hook_records(project_root):
    bootstrap_project(project_root)
    with KedroSession.create(project_path=project_root, env="base") as session:
        plugins = session._hook_manager.get_plugins()
    assert [plugin for plugin in plugins if isinstance(plugin, MlflowHook)] == []
    assert [type(plugin).__name__ for plugin in plugins].count("TrackingHooks") == 1


def catalog_entries(root):
    for path in sorted((root / "conf/base").glob("catalog_*.yml")):
        for name, entry in (yaml.safe_load(path.read_text()) or {}).items():
            if not name.startswith("_"):
                yield path.stem.removeprefix("catalog_"), name, entry


def test_whatever_a_run_writes_goes_through_a_dataset_that_leaves_no_half_file(project_root):
    """Datasets of other packages open the final name and write into it."""
    others = []
    for _, name, entry in catalog_entries(project_root):
        written = entry.get("dataset", entry)
        if "filepath" in written and not written["type"].startswith("weld_pipeline.datasets."):
            others.append((name, written["type"]))
    assert others == []


def test_what_makes_a_damaged_model_again_is_a_pipeline(project_root, pipelines):
    """The error names the folder that the model lies in."""
    named = set()
    for _, _, entry in catalog_entries(project_root):
        written = entry.get("dataset", entry)
        if written["type"].split(".")[-1] in {"SavedModelDataset", "RecordDataset"}:
            named.add(Path(written["filepath"]).parent.name)
    assert named - {"{family}"} <= set(pipelines)
    assert {member for _, member in MEMBERS} <= set(pipelines)


def test_every_family_member_and_step_is_registered(pipelines):
    families = {"video_classifier", "image_classifier", "anomaly_detector"}
    members = {"tig_ss304", "weld_photos", "tig_al5083", "patchcore", "student_teacher", "reference"}
    assert {family.name for family in FAMILIES} == families
    assert {member for _, member in MEMBERS} == members | {"video_classifier"}
    assert {"sample_data", "__default__", *families, *members, *STEPS} <= set(pipelines)


def test_no_registered_pipeline_is_empty(pipelines):
    assert [name for name, pipeline in pipelines.items() if not pipeline.nodes] == []


def test_no_step_needs_what_a_later_one_makes(pipelines):
    steps = [pipelines[name] for name in STEPS]
    for number, step in enumerate(steps):
        made_later = set().union(*(later.all_outputs() for later in steps[number + 1 :]))
        assert sorted(step.inputs() & made_later) == []


@pytest.mark.parametrize(("family", "member"), MEMBERS, ids=[member for _, member in MEMBERS])
def test_member_runs_from_raw_files_to_a_verdict_by_its_own_name(pipelines, family, member):
    chain = pipelines[member]
    source = family.source_of(member)
    free = {name for name in chain.inputs() if not name.startswith("params:")}
    named = {f"{member}.{name}" for name in ("synthetic_set", "family_name", "training_folder")}
    assert {f"{source}.raw"} <= free <= {f"{source}.raw", "mlflow_run_id", *named}
    made = ("predictions", "decision", "evaluation", "bundle", "parity", "timing", "verdicts")
    assert {f"{source}.manifest", *(f"{member}.{name}" for name in made)} <= chain.all_outputs()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_family_runs_all_its_members_and_sets_them_beside_each_other(pipelines, family):
    chain = pipelines[family.name]
    made = set().union(*(pipelines[member].all_outputs() for member in family.members))
    made |= family.compare().outputs() if family.compare else set()
    assert made <= chain.all_outputs() <= pipelines["__default__"].all_outputs()


def test_steps_together_are_the_default_pipeline(pipelines):
    stepped = set().union(*(pipelines[name].nodes for name in STEPS))
    assert stepped == set(pipelines["__default__"].nodes)


def test_parameter_inputs_are_models_or_scalars(pipelines):
    everything = pipelines["__default__"] + pipelines["sample_data"]
    untyped = []
    for node in everything.nodes:
        signature = inspect.signature(node.func, eval_str=True)
        inputs = node._inputs
        bound = signature.bind(**inputs) if isinstance(inputs, dict) else signature.bind(*_listed(inputs))
        for argument, dataset in bound.arguments.items():  # arguments that a node takes by any name come as one dict
            if isinstance(dataset, str) and dataset.startswith("params:"):
                kind = signature.parameters[argument].annotation
                kinds = [each for each in get_args(kind) or (kind,) if each is not type(None)]  # `Model | None` too
                if not all(each in SCALARS or is_model(each) for each in kinds):
                    untyped.append(f"{node.name}: {dataset} is {kind}")
    assert untyped == []


def is_model(kind):
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def _listed(inputs):
    return [inputs] if isinstance(inputs, str) else list(inputs or [])


def test_parameter_models_refuse_unknown_keys(pipelines):
    lax = set()
    for node in (pipelines["__default__"] + pipelines["sample_data"]).nodes:
        for argument in inspect.signature(node.func, eval_str=True).parameters.values():
            for kind in filter(is_model, get_args(argument.annotation) or (argument.annotation,)):
                config = kind.model_config
                if config.get("extra") != "forbid" or not config.get("frozen"):
                    lax.add(kind.__name__)
    assert lax == set()


def test_layer_file_and_folder_of_every_dataset_agree(project_root):
    wrong = []
    for stem, name, entry in catalog_entries(project_root):
        if stem not in LAYERS:
            continue
        layer = entry.get("metadata", {}).get("kedro-viz", {}).get("layer")
        path = str(entry.get("filepath") or entry.get("dataset", {}).get("filepath") or entry.get("root") or "")
        if layer != LAYERS[stem] or (path and f"/{stem}/" not in path):
            wrong.append(f"{name} in catalog_{stem}.yml: layer {layer}, path {path}")
    assert wrong == []


def test_every_dataset_of_a_pipeline_is_in_the_catalog(pipelines, context):
    catalog = context.catalog
    names = (pipelines["__default__"] + pipelines["sample_data"]).datasets()
    assert sorted(name for name in names if name not in catalog) == []


def test_every_catalog_entry_is_used(pipelines, project_root):
    used = (pipelines["__default__"] + pipelines["sample_data"]).datasets()
    entries = [name for _, name, _ in catalog_entries(project_root) if "{" not in name]
    assert sorted(set(entries) - used) == []


def test_other_environments_hold_only_keys_that_base_has(project_root):
    def keys(value, prefix=""):
        if not isinstance(value, dict):
            return {prefix}
        return set().union(*(keys(v, f"{prefix}.{k}") for k, v in value.items())) if value else set()

    def parameters(env):
        merged = set()
        for path in (project_root / "conf" / env).glob("parameters*.yml"):
            merged |= keys(yaml.safe_load(path.read_text()) or {})
        return merged

    base = parameters("base")
    for env in ("quick_test", "production", "test"):
        assert sorted(parameters(env) - base) == [], env


def test_telemetry_is_refused(project_root):
    assert yaml.safe_load((project_root / ".telemetry").read_text()) == {"consent": False}


def test_lock_names_no_address_and_no_second_opencv(project_root):
    lock = (project_root / "requirements.lock").read_text()
    assert "://" not in lock
    assert "@" not in lock
    names = [line.split("==")[0] for line in lock.splitlines()]
    assert [name for name in names if name.startswith("opencv")] == ["opencv-python-headless"]


def modules(package):
    """Return the names of a package and all modules in it."""
    root = Path(__file__).parents[1] / "src" / "weld_pipeline"
    names = [path.relative_to(root).with_suffix("").as_posix() for path in (root / package).rglob("*.py")]
    return sorted(f"weld_pipeline.{name.removesuffix('/__init__').replace('/', '.')}" for name in names)


def heavy_after(statements, folder):
    """Return which heavy libraries a fresh process holds after each of some statements, by statement."""
    script = (
        f"import json, sys\nfound = {{}}\nfor statement in {statements!r}:\n    exec(statement)\n"
        f"    found[statement] = [name for name in {HEAVY!r} if name in sys.modules]\nprint(json.dumps(found))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout.splitlines()[-1])


def test_every_door_opens_without_heavy_libraries(project_root):
    doors = [*modules("runtime"), *modules("engines"), *modules("cli"), "weld_pipeline.core.saved_model"]
    light = [name for name in doors if name not in {LOADED_FOR_KEDRO, LOADED_FOR_CATEGORIES}]
    assert len(light) > 50
    statements = [
        "import weld_pipeline.cli",
        "from weld_pipeline.cli import app",
        "from weld_pipeline.runtime import open_inspector, WeldClassifier, WeldDetector",
        *(f"import {name}" for name in light),
    ]
    # One process for all: the first that loads something heavy is the first that is named.
    assert {statement: found for statement, found in heavy_after(statements, project_root).items() if found} == {}


@pytest.mark.parametrize(("module", "allowed"), [(LOADED_FOR_KEDRO, "kedro"), (LOADED_FOR_CATEGORIES, "mlflow")])
def test_door_for_kedro_and_that_of_categories_load_no_torch(module, allowed, project_root):
    (found,) = heavy_after([f"import {module}"], project_root).values()
    assert allowed in found
    assert not {"torch", "torchvision", "timm", "lightning"} & set(found)


def test_room_names_every_module_that_is_in_it(project_root):
    """The stub of a room is what its lazy door opens; the command line shows two doors and what they share."""
    wrong = {}
    for stub in sorted((project_root / "src").rglob("__init__.pyi")):
        inside = {path.stem for path in stub.parent.glob("*.py") if not path.stem.startswith("__")}
        inside |= {path.parent.name for path in stub.parent.glob("*/__init__.py")}
        imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
        named = {alias.name for node in imports if node.module is None for alias in node.names}
        if named != inside and stub.parent.name != "cli":
            wrong[stub.parent.name] = named ^ inside
    assert wrong == {}


def test_every_name_at_a_door_is_where_it_says(project_root):
    """What a room shows beside its modules: its stub says from where, and there it must be."""
    missing = []
    for stub in sorted((project_root / "src").rglob("__init__.pyi")):
        for node in ast.parse(stub.read_text()).body:
            if node.module is not None:
                source = (stub.parent / node.module.replace(".", "/")).with_suffix(".py")
                missing += [f"{source}: {alias.name}" for alias in node.names if alias.name not in _defined(source)]
    assert missing == []


def _defined(source):
    body = ast.parse(source.read_text()).body
    named = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return named | {target.id for node in body if isinstance(node, ast.Assign) for target in node.targets}
