"""The nodes of export and inspection, on trained parts so small that they need no training."""

import pandas as pd
import pytest

from tests.pipelines.export.conftest import (
    CLASSIFIERS,
    INSPECTED,
    UNCALIBRATED,
    calibrated,
    compared,
    manifest_of,
    predictions_of,
)
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.deploy import onnx_export
from weld_pipeline.pipelines.export import nodes as export
from weld_pipeline.pipelines.export import video
from weld_pipeline.pipelines.inspection import nodes as inspection

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

MANIFEST = manifest_of(LABELS, media="video", suffix=".avi", travel_mm_s=pd.array([5.0, None], dtype="Float64"))


@pytest.fixture
def footage(tmp_path, write_film):
    (tmp_path / "films").mkdir()
    for seed, sample_id in enumerate(LABELS):
        write_film(f"films/{sample_id.split('/')[1]}.avi", seed=seed)
    return SourceTree(tmp_path / "films")


@pytest.fixture(params=["calibrated", "uncalibrated"])
def decision(request):
    return {"calibrated": calibrated(0.05), "uncalibrated": UNCALIBRATED}[request.param]


@pytest.fixture
def candidate(module, graph, decision, make_candidate, monkeypatch):
    def exported_once(of, *, window, latent_size):
        assert (of, window, latent_size) == (module, 4, 3)  # as the fixture exported it
        return graph

    monkeypatch.setattr(onnx_export, "export_video_graph", exported_once)
    learned = {"classes": ["good_weld", "porosity", "undercut"], "good_class": "good_weld", "input": WINDOWS}
    exported = video.export_graph(
        module,
        SavedModel("video_trunk", {}, {}, provenance={"weights": WEIGHTS}),
        SavedModel("latent_classifier", {}, {}, provenance=learned),
    )
    return make_candidate(exported, decision=decision, manifest=MANIFEST, family_name="video_classifier")


@pytest.fixture
def parity(candidate, module, footage):
    return export.check_parity(
        candidate=candidate,
        module=module,
        manifest=MANIFEST,
        raw=footage,
        predictions=predictions_of(candidate, MANIFEST, footage),
        params=compared(CLASSIFIERS, n_parts=2),
    )


def test_parts_become_a_released_bundle_that_inspects(candidate, decision, parity, footage, stored):
    released = stored("bundle", export.release_bundle(candidate, parity))
    description = released.description
    assert candidate.description.parity is None
    assert [found["n_compared"] for found in description.parity["engines"].values()] == [4, 4]
    assert description.files["model.onnx"] == candidate.description.files["model.onnx"]
    assert description.files["card.md"] != candidate.description.files["card.md"]
    assert (description.decision, description.provenance.mlflow_run_id) == (decision, "run-7")
    assert description.provenance.weights.licence == "none"

    told = inspection.inspect_samples(released, MANIFEST, footage, INSPECTED)
    assert [(each["sample_id"], each["label"]) for each in told["verdicts"]] == list(LABELS.items())
    assert [each["path"] for each in told["verdicts"]] == ["good.avi", "bad.avi"]  # no path of this machine
    assert [each["travel_mm_s"] for each in told["verdicts"]] == [5.0, None]
    assert [each["p_defect"] is None for each in told["verdicts"]] == [decision == UNCALIBRATED] * 2
    assert told["bundle"] == released.identity()
    assert len(inspection.draw_timelines(told, released).axes) == 2


def test_equal_parts_give_the_same_bundle(candidate, parity, stored):
    again = stored("again", export.release_bundle(candidate, parity))
    once_more = stored("once_more", export.release_bundle(candidate, parity))
    assert again.sha256 == once_more.sha256
