from dataclasses import asdict

import pandas as pd
import pytest

from weld_pipeline.deploy.card import model_card
from weld_pipeline.deploy.description import (
    anomaly_contract,
    describe_bundle,
    evaluation_metrics,
    video_contract,
)
from weld_pipeline.media.clips import ArcGate
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


def test_released_card_tells_parity(description):
    parity = {
        "n_videos": 4,
        "n_clips_compared": 16,
        "max_p_difference": 2.1e-7,
        "table_max_p_difference": 0.0123,
        "n_table_flips": 0,
        "tolerances": {"p": 1e-4, "score": 1e-3, "table_p": 0.05},
    }
    card = model_card(description | {"parity": parity})
    for part in ("16 clips of 4 video files", "2.1e-07 (allowed 1e-04)", "1.2e-02"):
        assert part in card


@pytest.fixture
def described():
    manifest = pd.DataFrame(
        {"sample_id": ["a"], "sha256": ["x"], "label": ["Good"], "split": ["test"], "status": ["ok"]}
    )
    weights = {"name": "w", "source": "s", "sha256": "0" * 64, "licence": "BSD", "is_random": False, "seed": None}
    return describe_bundle(
        family="video_classifier",
        classes=["Good", "Porosity"],
        good_class="Good",
        contract=video_contract({"window": 16, "stride": 8, "gate": asdict(ArcGate())}, latent_size=64),
        calibration={"temperature": 1.0, "platt_a": -1.0, "platt_b": 0.0, "threshold": 0.5},
        manifest=manifest,
        weights=weights,
        mlflow_run_id=None,
        metrics={},
        banners=[],
    )


def test_description_is_what_the_runtime_reads(described):
    read = BundleDescription.model_validate(described | {"files": {}})
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
        "clahe_clip": 2.0,
        "smoothing": True,
        "tiling": {"tile_px": 512, "overlap_px": 64},
    },
    "threshold": None,
    "calibration": {
        "score_threshold": 2.5,
        "kind": "conformal",
        "promise": "At most 5 % of good images fail.",
        "map_low": 0.5,
        "map_threshold": 2.0,
        "map_high": 2.5,
    },
}


def test_card_of_a_detector_says_what_it_was_fitted_on_and_what_is_promised(description):
    card = " ".join(model_card(description | DETECTOR).split())
    for part in (
        "# patchcore: anomaly detector, fitted on good images only",
        "names no kind of defect",
        "cuts it into tiles of 512 pixels that share at least 64",
        "sees each tile at 256×256 pixels, grey, locally equalised (CLAHE, clip 2), smoothed.",
        "*fail* from score 2.5 on; the score of an image is that of its worst tile",
        "chosen by good images alone",
        "What it promises: At most 5 % of good images fail. There is no `p_defect`",
        "- `anomalous`: from the threshold on",
        "this is a candidate",
    ):
        assert part in card


def test_card_of_a_released_detector_tells_parity_and_p_defect(description):
    parity = {
        "n_images": 12,
        "n_tiles": 48,
        "max_score_difference": 2.1e-7,
        "max_level_difference": 3.1e-6,
        "table_max_score_difference": 1.5e-5,
        "tolerances": {"score": 1e-4, "level": 1e-3, "table_score": 1e-3, "table_p": 0.02},
    }
    calibration = {**DETECTOR["calibration"], "kind": "f1"}
    whole = {**DETECTOR["input"], "tiling": None, "clahe_clip": 0.0, "smoothing": False, "grey": False}
    told = {"parity": parity, "calibration": calibration, "input": whole, "threshold": 0.4}
    card = " ".join(model_card(description | DETECTOR | told).split())
    for part in (
        "says and sees it at 256×256 pixels. It supports",
        "*fail* from score 2.5 on. The threshold was chosen by the best F1",
        "At the threshold `p_defect` is 0.400.",
        "On 12 image files, 48 tiles, read from disk: no verdict differs",
        "2.1e-07 of their size (allowed 1e-04), maps by 3.1e-06",
    ):
        assert part in card


def test_contract_and_calibration_of_a_detector_are_what_the_runtime_reads(described):
    architecture = {"image_px": 64, "grey": False, "clahe_clip": 2.0, "smoothing": True, "mean": [0.5], "std": [0.5]}
    calibration = DETECTOR["calibration"] | {"platt_a": -2.0, "platt_b": 5.0, "threshold": 0.5}
    told = {
        "classes": ["Good", "anomalous"],
        "input": anomaly_contract(architecture, tiling={"tile_px": 96, "overlap_px": 8}),
        "threshold": calibration["threshold"],
        "calibration": calibration,
    }
    read = BundleDescription.model_validate(described | told | {"files": {}})
    assert (read.threshold, read.input.image_px, read.input.tiling.tile_px) == (0.5, 64, 96)
