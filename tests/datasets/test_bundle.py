import json

import pytest
from kedro.io import DatasetError

from weld_pipeline.datasets.bundle import BundleDataset
from weld_pipeline.deploy.bundle import BundleContents


@pytest.fixture
def contents():
    description = {
        "format": 3,
        "family": "video_classifier",
        "classes": ["good_weld", "porosity"],
        "good_class": "good_weld",
        "input": {
            "contract": "clips",
            "media": "video",
            "window": 16,
            "stride": 8,
            "channels": "RGB",
            "latent_size": 64,
            "gate": {"min_luma": 128, "min_bright_fraction": 5e-4, "min_clip_fraction": 0.5},
        },
        "decision": {"calibrator": None, "policy": {"kind": "class", "good_class": "good_weld"}},
        "provenance": {
            "code_commit": None,
            "code_is_dirty": None,
            "code_version": "0",
            "data_sha256": "0",
            "weights": {"name": "w", "source": "s", "sha256": None, "licence": "l", "is_random": True},
            "mlflow_run_id": None,
            "library_versions": {},
        },
        "metrics": {},
        "banners": [],
        "parity": None,
    }
    return BundleContents(description, {"model.onnx": b"graph", "card.md": b"card"})


def test_saved_bundle_loads_and_shows_itself(tmp_path, contents):
    dataset = BundleDataset(filepath=str(tmp_path / "bundle"))
    assert not dataset.exists()
    dataset.save(contents)
    assert dataset.exists()
    assert dataset.load().description.family == "video_classifier"
    assert json.loads(dataset.preview())["classes"] == ["good_weld", "porosity"]


def test_description_that_nobody_could_read_is_not_saved(tmp_path, contents):
    dataset = BundleDataset(filepath=str(tmp_path / "bundle"))
    dataset.save(contents)
    by_probability = {"calibrator": None, "policy": {"kind": "p_defect", "threshold": 0.5}}
    worse = BundleContents({**contents.description, "decision": by_probability}, contents.files)
    with pytest.raises(DatasetError, match="policy p_defect needs a calibrator with platt"):
        dataset.save(worse)
    assert dataset.load().description.decision.policy.kind == "class"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_half_written_bundle_does_not_exist(tmp_path, contents):
    # What a kill leaves behind: the temporary folder, and perhaps a target without its description.
    (tmp_path / ".bundle.abc.tmp").mkdir()
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "model.onnx").write_bytes(b"gra")
    dataset = BundleDataset(filepath=str(tmp_path / "bundle"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"holds no bundle\.json"):
        dataset.load()


def test_damaged_bundle_is_not_loaded(tmp_path, contents):
    dataset = BundleDataset(filepath=str(tmp_path / "bundle"))
    dataset.save(contents)
    (tmp_path / "bundle" / "model.onnx").write_bytes(b"grapf")
    with pytest.raises(DatasetError, match=r"model\.onnx is not the file that was exported"):
        dataset.load()
