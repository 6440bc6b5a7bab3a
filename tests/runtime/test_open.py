"""One door: whatever the family of a bundle, the same is asked of its inspector and of its verdicts."""

import json
import subprocess
import sys

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime import WeldClassifier, WeldDetector, open_inspector
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.open import INSPECTORS, Inspector
from weld_pipeline.runtime.verdicts import Inspected, NotInspected
from weld_pipeline.runtime.video.inspector import VideoInspector

CORE = {"path", "sha256", "verdict", "predicted", "score", "p_defect", "timing"}


@pytest.fixture
def families(request, write_video, write_red, write_blue):
    """Contract to bundle, a file that fails by it, and the number of parts it is looked at in."""
    return {
        "clips": (request.getfixturevalue("bundle_folder"), write_video([255] * 8), 3),
        "views": (request.getfixturevalue("image_folder"), write_red(204, "red.png"), 1),
        "anomaly_map": (request.getfixturevalue("detector_folder"), write_blue([[200]], "blue.png"), 1),
    }


@pytest.mark.parametrize("contract", INSPECTORS)
def test_bundle_of_every_family_opens_by_the_one_door(families, contract):
    folder, _, _ = families[contract]
    for bundle in (folder, str(folder), load_bundle(folder)):
        inspector = open_inspector(bundle, n_threads=1)
        assert isinstance(inspector, Inspector)
        assert inspector.bundle.sha256 == load_bundle(folder).sha256
    kinds = {"clips": VideoInspector, "views": WeldClassifier, "anomaly_map": WeldDetector}
    assert type(inspector) is kinds[contract]


@pytest.mark.parametrize("contract", INSPECTORS)
def test_verdicts_of_every_family_share_their_core(families, contract):
    folder, path, n_parts = families[contract]
    inspector = open_inspector(folder)
    verdict = inspector.inspect(path)
    assert isinstance(verdict, Inspected)
    assert (verdict.path, verdict.verdict, verdict.n_parts) == (str(path), "fail", n_parts)
    assert verdict.predicted != "good_weld"
    assert 0.9 < verdict.p_defect < 1
    timing = verdict.timing
    assert 0 < timing.network_s < timing.total_s
    assert 0 < timing.decode_s < timing.total_s
    said = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert said.keys() >= CORE
    assert {name: said[name] for name in ("verdict", "predicted", "score", "p_defect")} == {
        "verdict": verdict.verdict,
        "predicted": verdict.predicted,
        "score": verdict.score,
        "p_defect": verdict.p_defect,
    }
    assert verdict.compact().to_json() == verdict.to_json()
    assert verdict.compact() == verdict


@pytest.mark.parametrize("contract", INSPECTORS)
def test_many_inputs_get_what_each_would_get_alone(families, contract, tmp_path):
    folder, path, _ = families[contract]
    inspector = open_inspector(folder)
    found = inspector.find([path, tmp_path / "nowhere"])
    whole, missing = inspector.inspect_each(found)
    alone = inspector.inspect(path)
    assert (whole.score, whole.p_defect, whole.sha256) == (alone.score, alone.p_defect, alone.sha256)
    assert isinstance(missing, NotInspected)
    assert "no such file" in missing.error


@pytest.mark.parametrize("contract", INSPECTORS)
def test_openvino_is_an_engine_for_every_family(families, contract):
    folder, path, _ = families[contract]
    ours, theirs = (open_inspector(folder, engine=engine).inspect(path) for engine in ("onnxruntime", "openvino"))
    assert (theirs.verdict, theirs.predicted) == (ours.verdict, ours.predicted)
    assert theirs.score == pytest.approx(ours.score, rel=1e-5)


@pytest.mark.parametrize("contract", INSPECTORS)
def test_engine_that_is_asked_for_is_the_one_that_runs(families, contract, monkeypatch):
    folder, path, _ = families[contract]
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(WeldError, match="package openvino is not installed; install it, or take onnxruntime"):
        open_inspector(folder, engine="openvino")
    assert open_inspector(folder).inspect(path).verdict == "fail"


def test_option_of_another_family_is_refused_and_named(families):
    for contract, options, does in (
        ("clips", {"tta": False}, "inspects video"),
        ("views", {"travel_mm_s": 5.0}, "classifies images"),
        ("anomaly_map", {"tta": True}, "finds anomalies in images"),
    ):
        folder, _, _ = families[contract]
        with pytest.raises(
            WeldError, match=f"option {next(iter(options))}: bundle {folder} {does}, which does not take"
        ):
            open_inspector(folder, **options)


def test_option_that_is_none_is_not_given(families):
    folder, path, _ = families["anomaly_map"]
    assert open_inspector(folder, tta=None, travel_mm_s=None).inspect(path).verdict == "fail"


def test_option_reaches_the_inspector_that_takes_it(families):
    folder, path, _ = families["clips"]
    assert open_inspector(folder, travel_mm_s=5.0).inspect(path).travel_mm_s == 5.0
    folder, path, _ = families["views"]
    assert open_inspector(folder, tta=True).inspect(path).n_parts == 10


def test_bundle_that_cannot_be_believed_is_not_opened(families):
    folder, _, _ = families["views"]
    (folder / "card.md").write_text("better")
    with pytest.raises(WeldError, match=r"card\.md is not the file that was exported"):
        open_inspector(folder)


# The packages of `pip install` in docs/how-to/inspect.md, and what these bring along.
INSTALLED = {"numpy", "av", "onnxruntime", "PIL", "pydantic", "lazy_loader"}
BROUGHT = {"pydantic_core", "annotated_types", "typing_extensions", "typing_inspection", "wadler_lindig", "packaging"}
ALONE = """
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
class Found(PathFinder):
    # Finds what is installed; nothing else is there.
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.split(".")[0]
        is_there = top in {allowed!r} | sys.stdlib_module_names or top.startswith("_sysconfigdata")
        return super().find_spec(name, path, target) if is_there else None
sys.meta_path = [BuiltinImporter, FrozenImporter, Found]
from pathlib import Path
from weld_pipeline.runtime import open_inspector
for folder, path, store in {inputs!r}:
    inspector = open_inspector(folder)
    (verdict,) = inspector.inspect_each(inspector.find([Path(path)]))
    inspector.store(Path(store), verdict)
    print(verdict.verdict)
"""


def test_inspector_needs_no_more_than_the_page_tells_to_install(families, tmp_path, project_root):
    page = (project_root / "docs/how-to/inspect.md").read_text()
    assert "pip install numpy av onnxruntime pillow pydantic lazy-loader\n" in page
    inputs = [(str(folder), str(path), str(tmp_path / "store")) for folder, path, _ in families.values()]
    script = ALONE.format(allowed=INSTALLED | BROUGHT | {"weld_pipeline"}, inputs=inputs)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["fail"] * 3
