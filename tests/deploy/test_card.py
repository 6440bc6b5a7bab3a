from dataclasses import asdict

import pandas as pd
import pytest

from tests.deploy.conftest import UNCALIBRATED, calibrated, decided
from weld_pipeline.deploy.card import model_card
from weld_pipeline.deploy.description import (
    anomaly_contract,
    describe_bundle,
    evaluation_metrics,
    video_contract,
)
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.runtime.description import BundleDescription

ESTIMATE = {"value": 0.875, "low": 0.8, "high": 0.95, "n": 40, "n_sessions": 9, "is_small": False}
FEW = {"value": 1.0, "low": 0.5, "high": 1.0, "n": 3, "n_sessions": 2, "is_small": True}
UNDEFINED = {"value": None, "low": None, "high": None, "n": 0, "n_sessions": 0, "is_small": True}
EVALUATION = {
    "rates": {"accuracy": ESTIMATE, "good_specificity": FEW, "auroc": UNDEFINED},
    "baselines": [{"name": "session", "fit_on": "test", "rates": {"accuracy": FEW}}],
}


def rows(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_metrics_carry_interval_and_n_and_a_mark_where_n_is_small(description):
    card = model_card(description | {"metrics": evaluation_metrics(EVALUATION)})
    assert rows(card, "| accuracy") == ["| accuracy | 0.875 | 0.800 to 0.950 | 40 | 9 |"]
    assert rows(card, "| good specificity") == ["| good specificity | 1.000 † | 0.500 to 1.000 | 3 | 2 |"]
    assert rows(card, "| auroc") == ["| auroc | undefined † | none | 0 | 0 |"]
    assert rows(card, "| baseline session") == ["| baseline session from test | 1.000 † | 0.500 to 1.000 | 3 | 2 |"]


def test_headlines_come_first_and_baselines_last(description):
    names = ["auroc", "baseline_session_from_test", "accuracy", "nll", "defect_recall"]
    card = model_card(description | {"metrics": dict.fromkeys(names, ESTIMATE)})
    table = [line.split(" | ")[0] for line in rows(card, "| ") if "0.875" in line]
    assert table == ["| accuracy", "| defect recall", "| auroc", "| nll", "| baseline session from test"]


def test_banners_stand_above_everything_else(description):
    card = model_card(description)
    assert 0 < card.index("RANDOM WEIGHTS") < card.index("## Intended use")


def test_classes_weights_and_code_are_named(description):
    card = model_card(description)
    for part in (
        "- `good_weld` (good)",
        "- `porosity`\n",
        "tiny.random, from seed 0",
        "with uncommitted changes",
        "c" * 40,
    ):
        assert part in card


def test_candidate_says_that_it_is_none_of_a_release(description):
    assert "this is a candidate, not a release" in model_card(description)


def test_released_card_tells_parity_engine_by_engine(description):
    found = {"n_compared": 16, "n_table_flips": 0}
    parity = {
        "n_samples": 4,
        "tolerances": {"probability": 1e-4, "score": 1e-3, "table_probability": 0.05},
        "engines": {
            "onnxruntime": found
            | {"max_difference": {"probability": 2.1e-7, "score": 1.5e-6, "table_probability": 0.0123}},
            "openvino": found
            | {"n_table_flips": 1, "max_difference": {"probability": 3e-6, "score": 4e-6, "table_probability": 0.0124}},
        },
    }
    card = model_card(description | {"parity": parity})
    (first, second) = (rows(card, f"- {engine}")[0] for engine in parity["engines"])
    assert "this is a candidate" not in card
    for part in (
        "16 answers on 4 files, read from disk on; no verdict differs",
        "probability by at most 2.1e-07 (allowed 1e-04)",
        "table probability by at most 1.2e-02 (allowed 5e-02)",
        "0 classes differ",
    ):
        assert part in first
    assert "probability by at most 3.0e-06" in second
    assert "1 classes differ" in second


@pytest.fixture
def described():
    manifest = pd.DataFrame(
        {
            "sample_id": list("abcd"),
            "sha256": list("wxyz"),
            "label": ["Good"] * 4,
            "split": ["train", "train", "train", "test"],
            "status": ["ok"] * 4,
            "fps": [30.0, 31.0, 60.0, 200.0],
        }
    )
    weights = {"name": "w", "source": "s", "sha256": "0" * 64, "licence": "BSD", "is_random": False, "seed": None}
    return describe_bundle(
        family="video_classifier",
        classes=["Good", "Porosity"],
        good_class="Good",
        contract=video_contract({"window": 16, "stride": 8, "gate": asdict(ArcGate())}, latent_size=64),
        decision=calibrated(1.0),
        manifest=manifest,
        weights=weights,
        mlflow_run_id=None,
        metrics={},
        banners=[],
    )


def test_description_is_what_the_runtime_reads(described):
    read = BundleDescription.model_validate(described | {"files": {}})
    assert read.input.fps == 31.0
    assert read.input.gate.min_bright_fraction == ArcGate().min_bright_fraction
    assert read.provenance.library_versions["onnxruntime"]
    assert read.provenance.weights.licence == "BSD"


def test_description_of_the_same_parts_is_the_same(described):
    # No clock in it: equal inputs give equal bundles.
    assert not [name for name in [*described, *described["provenance"]] if "time" in name or "created" in name]


DETECTOR = {
    "family": "patchcore",
    "classes": ["good_weld", "anomalous"],
    "input": {
        "contract": "anomaly_map",
        "media": "image",
        "channels": "RGB",
        "image_px": 256,
        "grey": True,
        "resize": None,
        "clahe_clip": 2.0,
        "smoothing": True,
        "map_range": {"low": 0.5, "threshold": 2.0, "high": 2.5},
        "tiling": {"tile_px": 512, "overlap_px": 64},
    },
    "decision": decided(
        threshold=2.75, platt=None, chosen_by="conformal", promise="At most 5 % of good images fail."
    ).model_dump(mode="json"),
}


def test_card_of_a_detector_says_what_it_was_fitted_on_and_what_is_promised(description):
    card = " ".join(model_card(description | DETECTOR).split())
    for part in (
        "# patchcore: anomaly detector, fitted on good images only",
        "names no kind of defect",
        "cuts it into tiles of 512 pixels that share at least 64",
        "sees each tile at 256×256 pixels, grey, locally equalised (CLAHE, clip 2), smoothed.",
        "*fail* from score 2.75 on; the score of an image is that of its worst tile",
        "chosen by good images alone",
        "What it promises: At most 5 % of good images fail. There is no `p_defect`, because a test left it out.",
        "marks places where the map reaches 2.",
        "- `anomalous`: from the threshold on",
        "this is a candidate",
    ):
        assert part in card


def test_card_of_a_released_detector_tells_parity_and_p_defect(description):
    differences = {"score": 2.1e-7, "map": 3.1e-6, "table_score": 1.5e-5, "table_probability": 0.0}
    parity = {
        "n_samples": 12,
        "tolerances": {"score": 1e-4, "map": 1e-3, "table_score": 1e-3, "table_probability": 0.02},
        "engines": {"onnxruntime": {"n_compared": 48, "n_table_flips": 0, "max_difference": differences}},
    }
    whole = {**DETECTOR["input"], "tiling": None, "clahe_clip": 0.0, "smoothing": False, "grey": False}
    told = {"parity": parity, "input": whole, "decision": decided().model_dump(mode="json")}
    card = " ".join(model_card(description | DETECTOR | told).split())
    for part in (
        "says and sees it at 256×256 pixels. It supports",
        "*fail* from score 2.46 on. The threshold was chosen by the best F1",
        "onnxruntime: 48 answers on 12 files, read from disk on; no verdict differs",
        "score by at most 2.1e-07 (allowed 1e-04), map by at most 3.1e-06",
    ):
        assert part in card
    assert "There is no `p_defect`" not in card


def test_contract_and_decision_of_a_detector_are_what_the_runtime_reads(described):
    architecture = {"image_px": 64, "grey": False, "clahe_clip": 2.0, "smoothing": True, "mean": [0.5], "std": [0.5]}
    colours = MapRange(low=0.5, threshold=2.0, high=2.5)
    told = {
        "classes": ["Good", "anomalous"],
        "input": anomaly_contract(
            architecture, tiling={"tile_px": 96, "overlap_px": 8}, map_range=colours, resizes=False
        ),
        "decision": decided().model_dump(mode="json"),
    }
    read = BundleDescription.model_validate(described | told | {"files": {}})
    assert (read.input.image_px, read.input.tiling.tile_px, read.input.map_range) == (64, 96, colours)
    assert read.decision == decided()


@pytest.mark.parametrize(
    ("views", "decision", "parts"),
    [
        ("centre", calibrated(2.0), ["the centre, with which", "*fail* from `p_defect` 0.500 on"]),
        ("ten", UNCALIBRATED, ["ten views that vote", "where the most probable class is not `good_weld`"]),
    ],
)
def test_card_of_images_says_what_is_looked_at_and_what_decides(image_description, views, decision, parts):
    changes = {"decision": decision.model_dump(mode="json"), "input": image_description["input"] | {"views": views}}
    card = " ".join(model_card(image_description | changes).split())
    for part in parts:
        assert part in card


def test_card_of_an_uncalibrated_video_classifier_says_that_the_class_decides(description):
    card = " ".join(model_card(description | {"decision": UNCALIBRATED.model_dump(mode="json")}).split())
    assert "*fail* where the most probable class is not `good_weld`. Nothing was calibrated" in card
    assert "*fail* from `p_defect` 0.500 on" in " ".join(model_card(description).split())
