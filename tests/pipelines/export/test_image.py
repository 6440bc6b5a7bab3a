"""The nodes of export and inspection for images, on a classifier that was never trained."""

import pandas as pd
import pytest

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.datasets.bundle import BundleDataset
from weld_pipeline.deploy import onnx_export
from weld_pipeline.nn.state import tensors_of
from weld_pipeline.pipelines.export import create_image_pipeline as export_pipeline
from weld_pipeline.pipelines.export import nodes as export
from weld_pipeline.pipelines.export.params import ImageParityParams
from weld_pipeline.pipelines.inspection import create_image_pipeline as inspection_pipeline
from weld_pipeline.pipelines.inspection import nodes as inspection
from weld_pipeline.pipelines.inspection.params import ImageInspectionParams

WEIGHTS = {"name": "tiny.random", "source": "seed 0", "sha256": "e" * 64, "licence": "none", "is_random": True}
CALIBRATION = {"temperature": 2.0, "platt_a": -3.0, "platt_b": 0.2, "threshold": 0.4, "n_good": 5, "n_defect": 6}
LABELS = {"run/good": "good_weld", "run/bad": "porosity"}
INSPECTED = ImageInspectionParams(splits=("test", "valid"), n_images=2, n_timed=50, n_threads=1, seed=0)
COMPARED = ImageParityParams(
    splits=("test", "valid"), n_images=2, p_tolerance=1e-4, score_tolerance=1e-3, table_p_tolerance=0.05
)


@pytest.fixture
def classifier(image_module):
    network = image_module.classifier
    said = {"classes": ["good_weld", "porosity", "undercut"], "good_class": "good_weld", "views": "ten"}
    return SavedModel(
        "image_classifier", network.architecture, tensors_of(network), provenance=said | {"weights": WEIGHTS}
    )


@pytest.fixture
def images(tmp_path, write_image):
    for seed, sample_id in enumerate(LABELS):
        write_image(f"photos/{sample_id.split('/')[1]}.png", seed=seed)
    return SourceTree(tmp_path / "photos")


@pytest.fixture
def manifest():
    """A source without test images: valid stands in."""
    rows = [
        {
            "sample_id": sample_id,
            "label": label,
            "is_defect": label != "good_weld",
            "path": f"{sample_id.split('/')[1]}.png",
            "sha256": sample_id,
            "split": "valid",
            "status": "ok",
        }
        for sample_id, label in LABELS.items()
    ]
    return pd.DataFrame(rows).astype({"is_defect": "boolean"})


@pytest.fixture
def exported_once(monkeypatch, image_graph, plain_graph):
    """Hand out graphs that the fixtures have exported; the parity gate sees that they are those of the module."""
    graphs = {True: image_graph, False: plain_graph}
    monkeypatch.setattr(onnx_export, "export_image_graph", lambda module: graphs[module.calibration is not None])


@pytest.fixture
def release(tmp_path, classifier, manifest, images, exported_once):
    """Take a classifier through the nodes to a bundle, saved and read as the catalog does."""

    def stored(name, contents):
        dataset = BundleDataset(filepath=str(tmp_path / name))
        dataset.save(contents)
        return dataset.load()

    def run(calibration):
        module = export.assemble_image_graph(classifier, calibration)
        contents = export.export_image_graph(
            module=module,
            family_name="tig",
            classifier=classifier,
            calibration=calibration,
            manifest=manifest,
            evaluation={"rates": {}, "baselines": []},
            banners=["DRAWN"],
            mlflow_run_id="run-7",
        )
        candidate = stored("candidate", contents)
        said = inspection.inspect_images(candidate, manifest, images, INSPECTED)
        table = pd.DataFrame(
            [
                {"sample_id": each["sample_id"], "predicted": each["predicted"], "p_defect": each["p_defect"]}
                | {f"p_{name}": p for name, p in each["probabilities"].items()}
                for each in said["images"]
            ]
        )
        parity = export.check_image_parity(
            candidate=candidate,
            module=module,
            manifest=manifest,
            raw_images=images,
            predictions=table if calibration else table.drop(columns="p_defect"),
            params=COMPARED,
        )
        return stored("bundle", export.release_bundle(candidate, parity))

    return run


def test_classifier_becomes_a_released_bundle_that_inspects(release, manifest, images):
    bundle = release(CALIBRATION)
    description = bundle.description
    assert (description.threshold, description.calibration) == (0.4, CALIBRATION)
    assert (description.input.media, description.input.views, description.input.resized_px) == ("image", "ten", 24)
    assert description.provenance.weights.name == "tiny.random"
    assert description.banners == ["DRAWN"]
    assert (description.parity["n_images"], "images" in description.parity) == (2, False)
    card = (bundle.folder / "card.md").read_text()
    for part in ("2 image files", "from `p_defect` 0.400 on", "ten views that vote", "weld bundle split"):
        assert part in card

    said = inspection.inspect_images(bundle, manifest, images, INSPECTED)
    assert [(each["sample_id"], each["label"], each["path"]) for each in said["images"]] == [
        ("run/good", "good_weld", "good.png"),
        ("run/bad", "porosity", "bad.png"),
    ]
    assert (said["split"], said["images"][0]["n_views"]) == ("valid", 10)
    timing = inspection.time_images(bundle, manifest, images, INSPECTED)
    assert (timing["n_images"], timing["split"], timing["bundle"]["sha256"]) == (2, "valid", bundle.sha256)


def test_bundle_without_calibration_says_so_everywhere(release):
    bundle = release({})
    description = bundle.description
    assert (description.threshold, description.calibration) == (None, None)
    (drawn, said) = description.banners
    assert (drawn, said.split(":")[0]) == ("DRAWN", "NOT CALIBRATED")
    card = (bundle.folder / "card.md").read_text()
    assert "where the most probable class is not `good_weld`" in card
    assert "NOT CALIBRATED" in card


def test_recipe_lies_in_its_namespace():
    export_names, inspection_names = export_pipeline("tig").datasets(), inspection_pipeline("tig").datasets()
    shared = {"mlflow_run_id", "params:export.image_parity", "params:inspection.images"}
    assert {name for name in export_names | inspection_names if not name.startswith("tig.")} == shared
    assert export_pipeline("tig").inputs() - shared == {
        *("tig.classifier", "tig.calibration", "tig.family_name", "tig.manifest", "tig.raw_images"),
        *("tig.evaluation", "tig.banners", "tig.predictions"),
    }
    assert inspection_pipeline("tig").outputs() == {"tig.verdicts", "tig.timing"}
