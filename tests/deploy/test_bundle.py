import pytest
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.bundle import BundleContents, write_bundle
from weld_pipeline.runtime.bundle import load_bundle


@pytest.fixture
def small(description):
    return BundleContents(description, {"model.onnx": b"graph", "card.md": b"card"})


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
    write_bundle(tmp_path / "bundle", BundleContents(dict(small.description) | {"threshold": 0.25}, small.files))
    assert load_bundle(tmp_path / "bundle").description.threshold == 0.25
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
        write_bundle(tmp_path / "bundle", BundleContents(dict(small.description) | {"threshold": 2.0}, small.files))
    assert entries(tmp_path) == []


def test_name_that_leaves_the_bundle_is_refused(tmp_path, small):
    with pytest.raises(WeldError, match="leaves its folder"):
        write_bundle(tmp_path / "bundle", BundleContents(small.description, {"../outside": b"x"}))
