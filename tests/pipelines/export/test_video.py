"""The nodes of export and inspection, on trained parts so small that they need no training."""

import pandas as pd
import pytest

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.datasets.bundle import BundleDataset
from weld_pipeline.pipelines.export import nodes as export
from weld_pipeline.pipelines.export.params import ParityParams
from weld_pipeline.pipelines.inspection import nodes as inspection
from weld_pipeline.pipelines.inspection.params import InspectionParams

LABELS = {"run/good": "good_weld", "run/bad": "porosity"}
WEIGHTS = {
    "name": "tiny.random",
    "source": "seed 0",
    "sha256": "e" * 64,
    "licence": "none",
    "is_random": True,
    "seed": 0,
}
WINDOWS = {"window": 4, "stride": 2, "gate": {"min_luma": 128, "min_bright_fraction": 5e-4, "min_clip_fraction": 0.5}}


@pytest.fixture
def footage(tmp_path, write_film):
    (tmp_path / "films").mkdir()
    for seed, sample_id in enumerate(LABELS):
        write_film(f"films/{sample_id.split('/')[1]}.avi", seed=seed)
    return SourceTree(tmp_path / "films")


@pytest.fixture
def manifest():
    rows = [
        {
            "sample_id": sample_id,
            "label": label,
            "is_defect": label != "good_weld",
            "path": f"{sample_id.split('/')[1]}.avi",
            "sha256": sample_id,
            "split": "test",
            "status": "ok",
            "travel_mm_s": 5.0 if label == "good_weld" else None,
        }
        for sample_id, label in LABELS.items()
    ]
    return pd.DataFrame(rows).astype({"is_defect": "boolean", "travel_mm_s": "Float64"})


@pytest.fixture
def store(tmp_path):
    """Save contents as the catalog does and read them back verified."""

    def saved(name, contents):
        dataset = BundleDataset(filepath=str(tmp_path / name))
        dataset.save(contents)
        return dataset.load()

    return saved


@pytest.fixture
def candidate(module, manifest, store):
    provenance = {"classes": ["good_weld", "porosity", "undercut"], "good_class": "good_weld", "input": WINDOWS}
    contents = export.export_graph(
        module=module,
        family_name="video_classifier",
        trunk=SavedModel("video_trunk", {}, {}, provenance={"weights": WEIGHTS}),
        classifier=SavedModel("latent_classifier", {}, {}, provenance=provenance),
        calibration={"temperature": 0.05, "platt_a": -3.0, "platt_b": 0.2, "threshold": 0.4},
        manifest=manifest,
        evaluation={"rates": {}, "baselines": []},
        banners=["DRAWN"],
        mlflow_run_id="run-7",
    )
    return store("candidate", contents)


@pytest.fixture
def table(candidate, manifest, footage):
    """Predictions of a pipeline that agrees with the graph."""
    said = inspection.inspect_videos(
        candidate, manifest, footage, InspectionParams(splits=("test",), n_videos=2, n_threads=1)
    )
    return pd.DataFrame(
        [
            {"sample_id": video["sample_id"], "predicted": video["predicted"], "p_defect": video["p_defect"]}
            | {f"p_{name}": p for name, p in video["probabilities"].items()}
            for video in said["videos"]
        ]
    )


@pytest.fixture
def parity(candidate, module, manifest, footage, table):
    params = ParityParams(
        splits=("test",), n_videos=2, n_clips=2, p_tolerance=1e-4, score_tolerance=1e-3, table_p_tolerance=0.05
    )
    return export.check_parity(
        candidate=candidate, module=module, manifest=manifest, raw_footage=footage, predictions=table, params=params
    )


def test_parts_become_a_released_bundle_that_inspects(candidate, parity, manifest, footage, store):
    released = store("bundle", export.release_bundle(candidate, parity))
    description = released.description
    assert candidate.description.parity is None
    assert description.parity["n_videos"] == 2
    assert description.files["model.onnx"] == candidate.description.files["model.onnx"]
    assert description.files["card.md"] != candidate.description.files["card.md"]
    assert (description.threshold, description.provenance.mlflow_run_id) == (0.4, "run-7")
    assert description.provenance.weights.licence == "none"

    params = InspectionParams(splits=("test",), n_videos=2, n_threads=1)
    said = inspection.inspect_videos(released, manifest, footage, params)
    assert [(video["sample_id"], video["label"]) for video in said["videos"]] == list(LABELS.items())
    assert [video["path"] for video in said["videos"]] == ["good.avi", "bad.avi"]  # no path of this machine
    assert [video["travel_mm_s"] for video in said["videos"]] == [5.0, None]
    assert said["bundle"]["sha256"] == released.sha256
    assert len(inspection.draw_timelines(said, released).axes) == 2


def test_equal_parts_give_the_same_bundle(candidate, parity, store):
    again = store("again", export.release_bundle(candidate, parity))
    once_more = store("once_more", export.release_bundle(candidate, parity))
    assert again.sha256 == once_more.sha256
