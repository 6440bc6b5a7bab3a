"""The nodes of export and inspection for images, on a classifier that was never trained."""

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
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel, with_provenance
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.deploy import onnx_export
from weld_pipeline.nn.state import tensors_of
from weld_pipeline.pipelines.export import create_pipeline as export_pipeline
from weld_pipeline.pipelines.export import image
from weld_pipeline.pipelines.export import nodes as export
from weld_pipeline.pipelines.families import IMAGE_CLASSIFIER
from weld_pipeline.pipelines.inspection import create_pipeline as inspection_pipeline
from weld_pipeline.pipelines.inspection import nodes as inspection

WEIGHTS = {"name": "tiny.random", "source": "seed 0", "sha256": "e" * 64, "licence": "none", "is_random": True}
LABELS = {"run/good": "good_weld", "run/bad": "porosity"}


@pytest.fixture
def exported_once(monkeypatch, image_graph, plain_graph):
    """Hand out graphs that the fixtures have exported; the parity gate sees that they are those of the module."""
    graphs = {2.0: image_graph, 1.0: plain_graph}
    monkeypatch.setattr(onnx_export, "export_image_graph", lambda module: graphs[module.temperature])


@pytest.fixture
def classifier(image_module, exported_once):
    network = image_module.classifier
    learned = {
        "classes": ["good_weld", "porosity", "undercut"],
        "good_class": "good_weld",
        "views": "ten",
        "jpeg_px": None,
    }
    return SavedModel(
        "image_classifier", network.architecture, tensors_of(network), provenance=learned | {"weights": WEIGHTS}
    )


@pytest.fixture
def images(tmp_path, write_image):
    for seed, sample_id in enumerate(LABELS):
        write_image(f"photos/{sample_id.split('/')[1]}.png", seed=seed)
    return SourceTree(tmp_path / "photos")


@pytest.fixture
def manifest():
    """A source without test images: valid stands in. Its csv of labels told a travel speed."""
    return manifest_of(LABELS, media="image", suffix=".png", split="valid", travel_mm_s=5.0)


@pytest.fixture
def release(classifier, manifest, images, make_candidate, stored):
    """Take a classifier through the nodes to a bundle, saved and read as the catalog does."""

    def run(decision, *, self_contained=False):
        module = image.assemble_graph(classifier, decision, self_contained=self_contained)
        graph = image.export_graph(module, classifier)
        candidate = make_candidate(graph, decision=decision, manifest=manifest, family_name="tig")
        parity = export.check_parity(
            candidate=candidate,
            module=module,
            manifest=manifest,
            raw=images,
            predictions=predictions_of(candidate, manifest, images),
            params=compared(CLASSIFIERS),
        )
        return stored("bundle", export.release_bundle(candidate, parity))

    return run


def test_classifier_becomes_a_released_bundle_that_inspects(release, manifest, images):
    bundle = release(calibrated(2.0))
    description = bundle.description
    assert description.decision == calibrated(2.0)
    assert (description.input.media, description.input.views, description.input.resized_px) == ("image", "ten", 40)
    assert description.input.resize.library == "pillow"
    assert description.provenance.weights.name == "tiny.random"
    assert description.banners == ["DRAWN"]
    assert (description.parity["n_samples"], "samples" in description.parity) == (2, False)
    # Two images in the centre and in ten views.
    assert [found["n_compared"] for found in description.parity["engines"].values()] == [4, 4]
    card = (bundle.folder / "card.md").read_text()
    for part in ("on 2 files", "from `p_defect` 0.500 on", "ten views that vote", "weld bundle split"):
        assert part in card

    told = inspection.inspect_samples(bundle, manifest, images, INSPECTED)
    assert [(each["sample_id"], each["label"], each["path"]) for each in told["verdicts"]] == [
        ("run/good", "good_weld", "good.png"),
        ("run/bad", "porosity", "bad.png"),
    ]
    assert (told["split"], told["verdicts"][0]["n_views"]) == ("valid", 10)
    timing = inspection.time_samples(bundle, manifest, images, INSPECTED)
    assert (timing["n_samples"], timing["split"], timing["bundle"]["sha256"]) == (2, "valid", bundle.sha256)


def test_self_contained_bundle_without_calibration_decides_by_the_class(release, manifest, images):
    bundle = release(UNCALIBRATED, self_contained=True)
    assert bundle.description.decision == UNCALIBRATED
    assert bundle.description.input.resize is None
    assert "where the most probable class is not `good_weld`" in (bundle.folder / "card.md").read_text()
    for each in inspection.inspect_samples(bundle, manifest, images, INSPECTED)["verdicts"]:
        assert each["p_defect"] is None
        assert each["verdict"] == ("pass" if each["predicted"] == "good_weld" else "fail")


def test_self_contained_graph_of_a_classifier_that_saw_scaled_jpegs_is_refused(classifier):
    scaled = with_provenance(classifier, **classifier.provenance | {"jpeg_px": 40})
    with pytest.raises(WeldError, match=r"export.self_contained: .* train with image.jpeg_scaling false"):
        image.assemble_graph(scaled, calibrated(2.0), self_contained=True)


def test_recipe_lies_in_its_namespace():
    export_names = export_pipeline(IMAGE_CLASSIFIER, "tig").datasets()
    inspection_names = inspection_pipeline(IMAGE_CLASSIFIER, "tig").datasets()
    shared = {
        *("params:mlflow_run_id", "params:export.image", "params:export.self_contained", "params:inspection.images")
    }
    assert {name for name in export_names | inspection_names if not name.startswith("tig.")} == shared
    assert export_pipeline(IMAGE_CLASSIFIER, "tig").inputs() - shared == {
        *("tig.classifier", "tig.decision", "tig.family_name", "tig.manifest", "tig.raw"),
        *("tig.evaluation", "tig.banners", "tig.predictions"),
    }
    assert inspection_pipeline(IMAGE_CLASSIFIER, "tig").outputs() == {"tig.verdicts", "tig.timing"}
