"""The nodes of export and inspection for anomaly detectors, on one that was never fitted."""

import pytest

from tests.pipelines.export.conftest import DETECTORS, INSPECTED, compared, decided, manifest_of, predictions_of
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.deploy import onnx_export
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.pipelines.export import anomaly
from weld_pipeline.pipelines.export import create_pipeline as export_pipeline
from weld_pipeline.pipelines.export import nodes as export
from weld_pipeline.pipelines.families import ANOMALY_DETECTOR
from weld_pipeline.pipelines.inspection import nodes as inspection
from weld_pipeline.pipelines.params import TilingParams

WEIGHTS = {"name": "tiny.random", "source": "seed 0", "sha256": "e" * 64, "licence": "none", "is_random": True}
LABELS = {"run/good": "good_weld", "run/bad": "porosity"}
COLOURS = MapRange(low=0.5, threshold=2.0, high=2.5)


@pytest.fixture
def images(tmp_path, write_image):
    for seed, sample_id in enumerate(LABELS):
        write_image(f"photos/{sample_id.split('/')[1]}.png", seed=seed)
    return SourceTree(tmp_path / "photos")


@pytest.fixture
def exported_once(monkeypatch, detector_module, detector_onnx):
    """Hand out the graph that the fixture has exported; the parity gate sees that it is that of the module."""
    monkeypatch.setattr(onnx_export, "export_anomaly_graph", {detector_module: detector_onnx}.__getitem__)


@pytest.mark.usefixtures("exported_once")
@pytest.mark.parametrize("tiling", [None, TilingParams(tile_px=48, overlap_px=8)])
def test_detector_becomes_a_released_bundle_that_inspects(detector_module, images, make_candidate, stored, tiling):
    manifest = manifest_of(LABELS, media="image", suffix=".png")
    learned = {
        "preprocess": detector_module.preprocess.architecture,
        "good_class": "good_weld",
        "weights": WEIGHTS,
    }
    detector = SavedModel("patchcore", {}, {}, provenance=learned)
    graph = anomaly.export_graph(detector_module, detector, COLOURS, tiling)
    candidate = make_candidate(graph, decision=decided(), manifest=manifest, family_name="patchcore")
    parity = export.check_parity(
        candidate=candidate,
        module=detector_module,
        manifest=manifest,
        raw=images,
        predictions=predictions_of(candidate, manifest, images),
        params=compared(DETECTORS),
    )
    bundle = stored("bundle", export.release_bundle(candidate, parity))
    description = bundle.description
    assert description.classes == ["good_weld", "anomalous"]
    assert (description.decision, description.input.map_range) == (decided(), COLOURS)
    assert description.input.model_dump()["tiling"] == (tiling and tiling.model_dump())
    n_tiles = 4 if tiling else 1  # 60 × 80 pixels, in two rows of two tiles or whole
    assert [found["n_compared"] for found in description.parity["engines"].values()] == [2 * n_tiles] * 2
    told = inspection.inspect_samples(bundle, manifest, images, INSPECTED)
    assert [(each["label"], each["n_tiles"]) for each in told["verdicts"]] == [
        ("good_weld", n_tiles),
        ("porosity", n_tiles),
    ]


@pytest.mark.parametrize("detector", ANOMALY_DETECTOR.members)
def test_detector_takes_the_tiling_of_the_images_that_all_share(detector):
    inputs = export_pipeline(ANOMALY_DETECTOR, detector).inputs()
    assert {"params:anomaly_detector.tiling", "anomaly_detector.manifest", "anomaly_detector.raw"} <= inputs
    assert {f"{detector}.detector", f"{detector}.map_range", f"{detector}.decision"} <= inputs
