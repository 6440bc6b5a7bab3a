"""The nodes of a detector, and the contract every detector keeps, on drawn seams with the test environment's parameters."""

import json
import logging

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import read_model, write_model
from weld_pipeline.core.tables import PREDICTIONS, checked
from weld_pipeline.datasets.item_store import ItemStoreDataset
from weld_pipeline.decision.policy import Decision
from weld_pipeline.nn.anomaly.detectors import restore_detector
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.pipelines.anomaly_detector import DETECTORS, nodes
from weld_pipeline.pipelines.anomaly_detector.params import (
    MapTrunkParams,
    PatchCoreParams,
    ThresholdParams,
)
from weld_pipeline.pipelines.params import EvaluationParams, TilingParams
from weld_pipeline.report.banners import decision_banner, fit_banner

EVALUATION = EvaluationParams(
    split="test",
    level=0.95,
    n_resamples=100,
    seed=0,
    min_sessions=5,
    min_samples=10,
    n_bins=5,
    aupro_max_fpr="auto",
    n_mistakes=2,
    n_frames=2,
)
TILING = TilingParams(tile_px=72, overlap_px=24)


@pytest.fixture(scope="module")
def fit(parameters, tmp_path_factory):
    """Fits a detector on prepared images, as the pipeline does."""

    def run(detector, images, manifest, **changes):
        asked = parameters(detector, **changes)
        trunk, _ = nodes.load_trunk(asked["trunk"], asked["image"])
        if detector != "student_teacher":
            fit_detector = getattr(nodes, f"fit_{detector}")
            return fit_detector(images, manifest, trunk, asked["image"], asked["fit"])
        said = {"images": images, "manifest": manifest, "image": asked["image"], "student": asked["student"]}
        said["training_folder"] = TrainingFolder(tmp_path_factory.mktemp("training"))
        # Distilling is a training of its own, and tested where it lies.
        slices = asked["teacher"].model_copy(update={"kind": "slices"})
        teacher = nodes.make_teacher(trunk=trunk, teacher=slices, **said)
        return nodes.train_student(teacher_network=teacher, **said)[0]

    return run


@pytest.fixture(scope="module")
def fitted(fit, seams):
    """Each detector once, when it is first asked for."""
    made = {}

    def of(detector):
        if detector not in made:
            made[detector] = fit(detector, seams.images, seams.manifest)
        return made[detector]

    return of


@pytest.fixture(scope="module")
def scored(fitted, seams, tmp_path_factory):
    """Maps and scores of a detector, once."""
    made = {}

    def of(detector):
        if detector not in made:
            dataset = ItemStoreDataset(filepath=str(tmp_path_factory.mktemp("maps")), kind="tensor")
            dataset.save(nodes.score_images(seams.images, seams.manifest, fitted(detector)))
            maps = dataset.load()
            made[detector] = maps, nodes.tabulate_scores(maps, seams.manifest)
        return made[detector]

    return of


def same_tensors(one, other):
    return one.tensors.keys() == other.tensors.keys() and all(
        np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors
    )


@pytest.mark.parametrize("detector", DETECTORS)
def test_detector_read_from_its_file_says_the_same(fitted, seams, tmp_path, detector):
    model = fitted(detector)
    write_model(tmp_path / "detector.safetensors", model)
    again = read_model(tmp_path / "detector.safetensors")
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for one, other in zip(restore_detector(model)(images), restore_detector(again)(images), strict=True):
            assert torch.equal(one, other)
    assert again.family == detector
    assert again.provenance["good_class"] == "good"
    assert again.provenance["n_good_tiles"] == 6
    assert again.provenance["preprocess"]["image_px"] == 64
    weights = again.provenance["weights"]
    assert (weights["name"], weights["is_random"]) == ("tf_efficientnet_lite0.in1k", False)


@pytest.mark.parametrize("detector", DETECTORS)
def test_same_seed_gives_the_same_detector(fit, fitted, seams, detector):
    assert same_tensors(fit(detector, seams.images, seams.manifest), fitted(detector))


@pytest.mark.parametrize("detector", DETECTORS)
def test_what_is_fitted_on_is_not_scored_and_all_else_is(scored, seams, detector):
    maps, scores = scored(detector)
    usable = seams.manifest[seams.manifest["split"] != "train"]
    assert scores["sample_id"].tolist() == usable["sample_id"].tolist()
    assert scores["score"].tolist() == [float(maps[name]["score"]) for name in usable["sample_id"]]
    assert np.isfinite(scores["score"]).all()


@pytest.mark.parametrize("detector", ["patchcore", "reference"])
def test_strange_spot_is_found_and_where_it_is(scored, fitted, seams, detector):
    maps, scores = scored(detector)
    record = measured(seams, maps, scores, decided(seams, maps, scores), model=fitted(detector))
    assert record["image_auroc"] > 0.9
    assert record["pixel_auroc"] > 0.8


def chosen(seams, maps, scores, kind="auto", false_reject_rate=0.1):
    """Return the decision, and how maps are coloured."""
    params = ThresholdParams(kind=kind, false_reject_rate=false_reject_rate)
    return nodes.choose_threshold(scores, maps, seams.images, params)


def decided(seams, maps, scores, **options):
    return chosen(seams, maps, scores, **options)[0]


def measured(seams, maps, scores, decision, *, model, tiling=None, images=None, layout="mvtec", aupro_max_fpr="auto"):
    return nodes.measure_anomalies(
        image_scores=scores,
        anomaly_maps=maps,
        manifest=seams.manifest.assign(source=layout),
        raw=seams.raw,
        fitted=decision,
        tiling=tiling,
        protocol=EVALUATION.model_copy(update={"aupro_max_fpr": aupro_max_fpr}),
        detector=model,
        images=images or seams.images,
    )


@pytest.mark.parametrize(
    ("options", "end"),
    [({}, 0.3), ({"layout": "mvtec_ad2"}, 0.05), ({"layout": "mvtec_ad2", "aupro_max_fpr": 0.1}, 0.1)],
)
def test_aupro_ends_where_the_layout_or_the_key_says(scored, fitted, seams, options, end):
    maps, scores = scored("patchcore")
    record = measured(seams, maps, scores, decided(seams, maps, scores), model=fitted("patchcore"), **options)
    assert record["pixels"]["max_fpr"] == end
    assert nodes.flatten_anomaly_metrics(record)["aupro.max_fpr"] == {"value": end, "step": 0}


def test_quarantined_images_are_not_prepared(seams, parameters):
    manifest = seams.manifest.assign(status=["quarantined", *["ok"] * (len(seams.manifest) - 1)])
    pending = nodes.prepare_images(manifest, seams.raw, parameters("patchcore")["image"], None)
    assert [item.id for item in pending.items] == seams.manifest["sample_id"].tolist()[1:]


def test_defective_image_in_train_is_not_learnt_from(fit, fitted, seams):
    moved = seams.manifest["sample_id"] == "test/crack/4.png"
    manifest = seams.manifest.assign(split=seams.manifest["split"].mask(moved, "train"))
    assert same_tensors(fit("patchcore", seams.images, manifest), fitted("patchcore"))


def test_both_kinds_in_calib_give_f1_and_a_probability(scored, seams):
    maps, scores = scored("patchcore")
    found, colours = chosen(seams, maps, pd.concat([scores] * 4))  # as if there were four of each
    assert (found.policy.chosen_by, found.policy.unit) == ("f1", "image")
    assert (found.calibrator.n_good, found.calibrator.n_defect) == (16, 12)
    assert colours.low < colours.threshold < colours.high
    assert Decision.model_validate(json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))) == found
    table = nodes.tabulate_predictions(scores, seams.manifest, found)
    assert checked(table, PREDICTIONS)["p_defect"].between(0, 1).all()
    assert ((table["score"] >= found.policy.threshold) == (table["predicted"] == "anomalous")).all()
    # The same rule in probabilities: Platt rises with the score.
    least = found.p_defect(np.array([found.policy.threshold]))[0]
    assert ((table["p_defect"] >= least) == (table["predicted"] == "anomalous")).all()


def test_good_images_alone_in_calib_give_a_promise_and_no_probability(scored, seams):
    maps, scores = scored("patchcore")
    good = scores[~((scores["split"] == "calib") & scores["is_defect"])]
    found = decided(seams, maps, good)
    # Four good images promise one in five at best.
    assert (found.policy.chosen_by, found.policy.false_reject_rate) == ("conformal", 0.2)
    assert found.calibrator.platt is None
    assert "p_defect" not in nodes.tabulate_predictions(good, seams.manifest, found)
    (sentence,) = decision_banner(found)
    assert sentence.startswith(
        "NO PROBABILITY: there is no p_defect, because calib holds 4 good and 0 defective images"
    )
    assert found.policy.promise in sentence
    with pytest.raises(WeldError, match="f1 needs defective images and calib holds 4 good ones only"):
        decided(seams, maps, good, kind="f1")
    with pytest.raises(WeldError, match=r"needs 9 good calib images; there are 4, which can promise 0\.2"):
        decided(seams, maps, good, kind="conformal")


def test_threshold_is_chosen_on_valid_where_there_is_no_calib(scored, seams):
    maps, scores = scored("patchcore")
    found = decided(seams, maps, scores[scores["split"] != "calib"]).calibrator
    assert (found.split, found.n_good, found.n_defect) == ("valid", 2, 0)
    assert decided(seams, maps, scores).calibrator.split == "calib"


def test_record_counts_what_was_judged(scored, seams, fitted):
    maps, scores = scored("patchcore")
    record = measured(seams, maps, scores, decided(seams, maps, scores), model=fitted("patchcore"))
    assert (record["category"], record["detector"]) == ("plate", "patchcore")
    assert (record["n"], record["n_good"], record["n_defect"]) == (7, 4, 3)
    assert record["pixels"]["n_without_mask"] == 1
    assert "tile_auroc" not in record
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    values = nodes.flatten_anomaly_metrics(record)
    assert values["image_auroc"] == {"value": record["image_auroc"], "step": 0}


def test_tiles_are_fitted_scored_and_judged_one_by_one(fit, seams, prepare, tmp_path):
    images = prepare(seams.manifest, seams.raw, tiling=TILING)
    model = fit("patchcore", images, seams.manifest)
    assert model.provenance["n_good_tiles"] == 12
    dataset = ItemStoreDataset(filepath=str(tmp_path / "maps"), kind="tensor")
    dataset.save(nodes.score_images(images, seams.manifest, model))
    maps = dataset.load()
    scores = nodes.tabulate_scores(maps, seams.manifest)
    decision, _ = nodes.choose_threshold(scores, maps, images, ThresholdParams(kind="auto", false_reject_rate=0.1))
    assert decision.policy.unit == "image"  # some of calib's are good as a whole
    record = measured(seams, maps, scores, decision, tiling=TILING, images=images, model=model)
    assert record["n_tiles"] == 14
    # Seven images; both tiles of the one without mask, and those that the other spots reach.
    assert 4 <= record["n_defect_tiles"] <= 6
    assert record["tile_auroc"] > 0.7


def test_sheet_shows_the_judged_split(scored, seams, parameters):
    maps, scores = scored("patchcore")
    decision, colours = chosen(seams, maps, scores)
    sheet = nodes.draw_anomaly_sheet(
        image_scores=scores,
        anomaly_maps=maps,
        manifest=seams.manifest,
        raw=seams.raw,
        fitted=decision,
        map_range=colours,
        tiling=None,
        protocol=EVALUATION,
        params=parameters("patchcore")["look"],
    )
    assert sheet.dtype == np.uint8
    assert sheet.std() > 0


def test_split_without_images_is_named(scored, seams, fitted):
    maps, scores = scored("patchcore")
    decision = decided(seams, maps, scores)
    left = scores[scores["split"] != "test"]
    with pytest.raises(WeldError, match=r"no image of split 'test', only \['calib', 'valid'\]; mend evaluation.split"):
        measured(seams, maps, left, decision, model=fitted("patchcore"))


def test_detectors_stand_beside_each_other(scored, seams, fitted):
    records = {}
    for detector in DETECTORS:
        maps, scores = scored(detector)
        records[detector] = measured(seams, maps, scores, decided(seams, maps, scores), model=fitted(detector))
    table, _ = nodes.compare_detectors(**records)
    assert set(DETECTORS) <= set(table["detector"])
    for detector in DETECTORS:
        row = table[(table["detector"] == detector) & (table["category"] == "plate")].iloc[0]
        assert row["image_auroc"] == records[detector]["image_auroc"]


def test_train_without_a_good_image_is_said_before_the_fit(fit, seams):
    is_train = seams.manifest["split"] == "train"
    manifest = seams.manifest[~is_train]
    for detector in DETECTORS:
        with pytest.raises(WeldError, match=r"split train has no good image or tile \(0 images given\)"):
            fit(detector, seams.images, manifest)


def test_coreset_larger_than_all_patches_is_refused(fit, seams):
    with pytest.raises(WeldError, match=r"99999"):
        fit("patchcore", seams.images, seams.manifest, fit={"coreset_size": 99999})


def test_trunk_without_the_layers_names_some_of_its_own(fit, seams):
    with pytest.raises(WeldError, match=r"has no layer 'layer1'; set trunk\.layers to some of its own, e\.g\. "):
        fit("patchcore", seams.images, seams.manifest, trunk={"layers": "layer1+layer2"})


@pytest.fixture(scope="module")
def constant(seams, prepare, tmp_path_factory):
    """The same images, all of one level."""
    from weld_pipeline.core.source_tree import SourceTree

    root = tmp_path_factory.mktemp("grey")
    for name in seams.manifest["path"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (96, 72), 128).save(root / name)
    manifest = seams.manifest.assign(mask_path=pd.array([pd.NA] * len(seams.manifest), dtype="string"))
    return prepare(manifest, SourceTree(root))


def test_patches_that_are_all_alike_are_still_a_memory(fit, seams, constant, tmp_path):
    dataset = ItemStoreDataset(filepath=str(tmp_path / "maps"), kind="tensor")
    dataset.save(nodes.score_images(constant, seams.manifest, fit("patchcore", constant, seams.manifest)))
    maps = dataset.load()
    scores = nodes.tabulate_scores(maps, seams.manifest)
    assert np.ptp(scores["score"]) < 1e-3
    found, colours = nodes.choose_threshold(scores, maps, constant, ThresholdParams(kind="auto", false_reject_rate=0.1))
    # All are good and alike, so none may fail, and the colours still have a range.
    fails = found.fails(score=scores["score"].to_numpy(float), predicted=None)
    assert not fails[(scores["split"] == "calib") & ~scores["is_defect"]].any()
    assert colours.low < colours.high


def test_reference_of_images_that_are_all_alike_has_no_spread(fit, seams, constant):
    with pytest.raises(WeldError, match=r"good images are all the same.* set fit\.scale to none, or give others"):
        fit("reference", constant, seams.manifest)


def test_student_of_images_that_are_all_alike_is_said_to_be_collapsed(fit, seams, constant, parameters, caplog):
    trunk = {"name": "mobilenetv2_035", "weights": "random", "layers": "blocks.1+blocks.2"}
    model = fit("student_teacher", constant, seams.manifest, trunk=trunk)
    with caplog.at_level(logging.WARNING):
        found = nodes.check_student(constant, seams.manifest, model, parameters("student_teacher")["check"])
    assert found["is_collapsed"]
    assert [record.args[0] for record in caplog.records if record.msg == "student: %s"] == found["reasons"]
    assert fit_banner(found) == [f"COLLAPSED: {reason}" for reason in found["reasons"]]


def test_layers_may_be_named_in_one_word():
    values = {"name": "resnet18", "weights": "random", "seed": 0, "folder": "w"}
    assert MapTrunkParams(**values, layers="layer2+layer3").layers == ("layer2", "layer3")
    assert MapTrunkParams(**values, layers=["layer2", "layer3"]).layers == ("layer2", "layer3")
    with pytest.raises(ValidationError, match="layers"):
        MapTrunkParams(**values, layers=[])


@pytest.mark.parametrize(("size", "ratio"), [(None, None), (100, 0.1)])
def test_coreset_has_one_size(parameters, size, ratio):
    values = parameters("patchcore")["fit"].model_dump() | {"coreset_size": size, "coreset_ratio": ratio}
    with pytest.raises(ValidationError, match="name either coreset_size or coreset_ratio, and set the other to null"):
        PatchCoreParams(**values)


def test_tiles_that_would_not_advance_are_refused():
    with pytest.raises(ValidationError, match="overlap_px 64 is no less than tile_px 64; tiles would not advance"):
        TilingParams(tile_px=64, overlap_px=64)
