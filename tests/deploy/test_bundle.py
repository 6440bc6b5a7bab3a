import pandas as pd
import pytest
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.decision.policy import Decision
from weld_pipeline.deploy.bundle import BundleContents, ExportedGraph, candidate, released, write_bundle
from weld_pipeline.deploy.description import describe_bundle, image_contract
from weld_pipeline.runtime.bundle import load_bundle

ESTIMATE = {"value": 0.875, "low": 0.8, "high": 0.95, "n": 40, "n_sessions": 9, "is_small": False}


@pytest.fixture
def small(description):
    return BundleContents(description, {"model.onnx": b"graph", "card.md": b"card"})


def with_threshold(description, threshold):
    """Return a description with another threshold."""
    policy = description["decision"]["policy"] | {"threshold": threshold}
    return dict(description) | {"decision": description["decision"] | {"policy": policy}}


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_written_bundle_is_believed(tmp_path, small):
    write_bundle(tmp_path / "made" / "bundle", small)
    assert load_bundle(tmp_path / "made" / "bundle").description.files.keys() == {"model.onnx", "card.md"}
    assert entries(tmp_path / "made") == ["bundle"]


def test_equal_contents_give_equal_bundles(tmp_path, small):
    write_bundle(tmp_path / "a", small)
    write_bundle(tmp_path / "b", small)
    assert load_bundle(tmp_path / "a").sha256 == load_bundle(tmp_path / "b").sha256


def test_new_bundle_takes_the_place_of_the_old_one(tmp_path, small):
    write_bundle(tmp_path / "bundle", small)
    (tmp_path / "bundle" / "stray.txt").write_text("of the old one")
    write_bundle(tmp_path / "bundle", BundleContents(with_threshold(small.description, 0.25), small.files))
    assert load_bundle(tmp_path / "bundle").description.decision.policy.threshold == 0.25
    assert entries(tmp_path / "bundle") == ["bundle.json", "card.md", "model.onnx"]
    assert entries(tmp_path) == ["bundle"]


def test_file_can_be_copied_from_another_bundle(tmp_path, small):
    write_bundle(tmp_path / "candidate", small)
    files = dict(small.files) | {"model.onnx": tmp_path / "candidate" / "model.onnx"}
    write_bundle(tmp_path / "bundle", BundleContents(small.description, files))
    assert (tmp_path / "bundle" / "model.onnx").read_bytes() == b"graph"


def test_failure_in_the_middle_leaves_the_old_bundle(tmp_path, small):
    write_bundle(tmp_path / "bundle", small)
    before = load_bundle(tmp_path / "bundle").sha256
    broken = BundleContents(small.description, {"card.md": b"new", "model.onnx": tmp_path / "missing.onnx"})
    with pytest.raises(FileNotFoundError):
        write_bundle(tmp_path / "bundle", broken)
    assert load_bundle(tmp_path / "bundle").sha256 == before
    assert entries(tmp_path) == ["bundle"]


def test_description_the_runtime_could_not_read_is_not_written(tmp_path, small):
    with pytest.raises(ValidationError, match="threshold"):
        write_bundle(tmp_path / "bundle", BundleContents(with_threshold(small.description, 2.0), small.files))
    assert entries(tmp_path) == []


def test_name_that_leaves_the_bundle_is_refused(tmp_path, small):
    with pytest.raises(WeldError, match="leaves its folder"):
        write_bundle(tmp_path / "bundle", BundleContents(small.description, {"../outside": b"x"}))


@pytest.fixture
def made(description):
    """A candidate from an exported graph, saved and read."""
    manifest = pd.DataFrame(
        {"sample_id": ["a"], "sha256": ["x"], "label": ["porosity"], "split": ["test"], "status": ["ok"], "fps": [10.0]}
    )
    graph = ExportedGraph(
        onnx=b"graph",
        classes=description["classes"],
        good_class="good_weld",
        contract=description["input"],
        weights=description["provenance"]["weights"],
    )
    return candidate(
        graph,
        family="video_classifier",
        decision=Decision.model_validate(description["decision"]),
        manifest=manifest,
        evaluation={"rates": {"accuracy": ESTIMATE}, "baselines": []},
        mlflow_run_id="run-7",
        banners=["DRAWN"],
    )


def test_candidate_says_what_it_was_made_of_and_that_it_is_no_release(tmp_path, made, description):
    write_bundle(tmp_path / "candidate", made)
    bundle = load_bundle(tmp_path / "candidate")
    said = bundle.description
    assert said.decision.model_dump(mode="json") == description["decision"]
    assert said.input.model_dump(mode="json") == description["input"] | {"fps": None}  # no row of train
    assert (said.metrics["accuracy"].value, said.provenance.mlflow_run_id, said.banners) == (0.875, "run-7", ["DRAWN"])
    assert said.parity is None
    assert "this is a candidate, not a release" in (bundle.folder / "card.md").read_text()


@pytest.mark.parametrize("bits", [None, 12])
def test_bundle_of_images_reads_them_by_the_bits_of_its_manifest(description, bits):
    manifest = pd.DataFrame(
        {"sample_id": ["a"], "sha256": ["x"], "label": ["porosity"], "split": ["test"], "status": ["ok"]}
    ).assign(sample_bits=pd.array([bits], "Int64"))
    contract = image_contract(
        {"resized_px": 8, "crop_px": 8, "grey": False}, views="centre", jpeg_px=None, resizes=True
    )
    said = describe_bundle(
        family="image_classifier",
        classes=description["classes"],
        good_class="good_weld",
        contract=contract,
        decision=Decision.model_validate(description["decision"]),
        manifest=manifest,
        weights=description["provenance"]["weights"],
        mlflow_run_id=None,
        metrics={},
        banners=[],
    )
    assert said["input"] == contract | {"sample_bits": bits}


def test_release_is_the_same_graph_with_its_parity_but_not_sample_by_sample(tmp_path, made):
    write_bundle(tmp_path / "candidate", made)
    found = {"n_compared": 3, "n_table_flips": 0, "max_difference": {"score": 1e-6}}
    parity = {"n_samples": 1, "tolerances": {"score": 1e-3}, "engines": {"onnxruntime": found}}
    before = load_bundle(tmp_path / "candidate")
    write_bundle(tmp_path / "bundle", released(before, parity | {"samples": {"onnxruntime": ["much"]}}))
    after = load_bundle(tmp_path / "bundle")
    assert after.description.parity == parity
    assert after.description.files["model.onnx"] == before.description.files["model.onnx"]
    assert after.description.model_copy(update={"parity": None, "files": {}, "sha256": None}) == (
        before.description.model_copy(update={"files": {}, "sha256": None})
    )
    assert "onnxruntime: 3 answers on 1 files" in (after.folder / "card.md").read_text()
