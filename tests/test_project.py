"""Contracts of the configuration, held for every pipeline and every dataset there will ever be."""

import inspect
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
        tracking = [plugin for plugin in session._hook_manager.get_plugins() if isinstance(plugin, MlflowHook)]
    assert [type(plugin).__name__ for plugin in tracking] == ["TrackingHooks"]


def catalog_entries(root):
    for path in sorted((root / "conf/base").glob("catalog_*.yml")):
        for name, entry in (yaml.safe_load(path.read_text()) or {}).items():
            if not name.startswith("_"):
                yield path.stem.removeprefix("catalog_"), name, entry


def test_every_stage_and_step_is_registered(pipelines):
    stages = {"sample_data", "ingestion", "evaluation", "export", "inspection", "__default__"}
    families = {"video_classifier", "image_ingestion", "image_classifier", "anomaly_detector"}
    steps = {"feature_extraction", "training", "calibration"}
    assert stages | families | steps <= set(pipelines)


def test_no_registered_pipeline_is_empty(pipelines):
    assert [name for name, pipeline in pipelines.items() if not pipeline.nodes] == []


def test_no_step_needs_what_a_later_one_makes(pipelines):
    steps = [pipelines[name] for name in ("feature_extraction", "training", "calibration", "evaluation", "export")]
    for number, step in enumerate(steps):
        made_later = set().union(*(later.all_outputs() for later in steps[number + 1 :]))
        assert sorted(step.inputs() & made_later) == []


def test_family_runs_from_raw_footage_to_a_verdict(pipelines):
    family = pipelines["video_classifier"]
    free = {name for name in family.inputs() if not name.startswith("params:")}
    assert "raw_footage" in free
    assert {"manifest", "video_classifier.clip_features", "video_classifier.bundle"} <= family.all_outputs()


@pytest.mark.parametrize("recipe", ["tig_ss304", "weld_photos", "tig_al5083"])
def test_recipe_lies_in_its_namespace_from_raw_images_to_a_verdict(pipelines, recipe):
    chain = pipelines["image_classifier"].only_nodes_with_namespaces([recipe])
    free = {name for name in chain.inputs() if not name.startswith("params:")}
    own = {f"{recipe}.{name}" for name in ("raw_images", "synthetic_set", "family_name", "training_folder")}
    assert free == own | {"mlflow_run_id"}
    assert {f"{recipe}.manifest", f"{recipe}.classifier", f"{recipe}.bundle", f"{recipe}.timing"} <= chain.all_outputs()


@pytest.mark.parametrize("detector", ["patchcore", "student_teacher", "reference"])
def test_detector_runs_from_raw_images_to_a_verdict_by_its_own_name(pipelines, detector):
    chain = pipelines[detector]
    assert "anomaly_detector.raw_images" in chain.inputs()
    made = ("detector", "anomaly_maps", "anomaly_metrics", "bundle", "timing")
    assert {"anomaly_detector.manifest", *(f"{detector}.{name}" for name in made)} <= chain.all_outputs()
    assert set(chain.nodes) <= set(pipelines["anomaly_detector"].nodes)


def test_parameter_inputs_are_models_or_scalars(pipelines):
    everything = pipelines["__default__"] + pipelines["sample_data"]
    untyped = []
    for node in everything.nodes:
        signature = inspect.signature(node.func, eval_str=True)
        inputs = node._inputs
        bound = signature.bind(**inputs) if isinstance(inputs, dict) else signature.bind(*_listed(inputs))
        for argument, dataset in bound.arguments.items():
            if dataset.startswith("params:"):
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


@pytest.mark.parametrize("module", ["weld_pipeline.runtime", "weld_pipeline.cli"])
def test_runtime_and_command_line_import_neither_torch_nor_kedro(module, project_root):
    script = (
        f"import pkgutil, sys, {module} as m, importlib\n"
        "[importlib.import_module(f'{m.__name__}.{i.name}') for i in pkgutil.iter_modules(getattr(m, '__path__', []))]\n"
        "print(sorted({'torch', 'kedro', 'mlflow', 'lightning'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=project_root)
    assert done.stdout.strip() == "[]"


def test_registry_is_listed_without_loading_torch(project_root):
    script = (
        "import sys\nfrom pathlib import Path\nfrom kedro.framework.startup import bootstrap_project\n"
        f"bootstrap_project(Path({str(Path(project_root))!r}))\n"
        "from kedro.framework.project import pipelines\nlist(pipelines)\n"
        "print(sorted({'torch', 'torchvision', 'lightning', 'onnxruntime', 'av', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=project_root)
    assert done.stdout.strip().splitlines()[-1] == "[]"
