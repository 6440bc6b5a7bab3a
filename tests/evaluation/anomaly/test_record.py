"""One record a detector, and detectors beside each other."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from weld_pipeline.core.errors import WeldError
from weld_pipeline.decision.thresholds import choose_threshold
from weld_pipeline.evaluation.anomaly.pixel_metrics import PixelSample, pixel_metrics
from weld_pipeline.evaluation.anomaly.record import anomaly_record, flat_anomaly_metrics, tile_metrics
from weld_pipeline.evaluation.estimates import Protocol
from weld_pipeline.report.detector_comparison import as_markdown, comparison_figure, comparison_table
from weld_pipeline.report.figures import as_svg

PROTOCOL = Protocol(n_resamples=200)
GOOD = np.random.default_rng(9).normal(size=30)
DECISION = choose_threshold(GOOD, np.zeros(30, bool), kind="auto", false_reject_rate=0.1, split="calib")
POLICY = DECISION.policy.model_dump(mode="json")


def rows_of(seed, *, shift=2.0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(["good", "crack", "pore"], [30, 15, 15])
    scores = rng.normal(size=60) + shift * (labels != "good")
    return pd.DataFrame(
        {
            "sample_id": [f"p{number}" for number in range(60)],
            "session": [f"s{number % 12}" for number in range(60)],
            "label": labels,
            "is_defect": labels != "good",
            "score": scores.astype(np.float32),
        }
    )


def pixels(*, with_mask=True, max_fpr=0.3):
    mask = np.zeros((8, 8), bool)
    mask[2:4, 2:4] = True
    anomaly_map = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    kept = mask if with_mask else None
    sample = PixelSample("p", is_defect=True, anomaly_map=anomaly_map + mask, mask=kept)
    return pixel_metrics([sample], max_fpr=max_fpr)


def record(category="seam", detector="patchcore", *, seed=0, with_mask=True, **kept):
    rows = rows_of(seed)
    fails = DECISION.fails(score=rows["score"].to_numpy(float), predicted=None)
    known = {"policy": POLICY, "fails": fails, "protocol": PROTOCOL, "pixels": pixels(with_mask=with_mask)} | kept
    return anomaly_record(rows, category=category, detector=detector, **known)


def test_record_holds_what_was_measured_as_json() -> None:
    found, rows = record(latency_ms={"p50": 12.5}), rows_of(0)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["image_auroc"] == pytest.approx(reference.roc_auc_score(rows["is_defect"], rows["score"]))
    assert found["image_ap"] == pytest.approx(reference.average_precision_score(rows["is_defect"], rows["score"]))
    assert (found["pixel_auroc"], found["aupro"]) == (pixels().pixel_auroc, pixels().aupro)
    low, high = found["intervals"]["image_auroc"]
    assert low < found["image_auroc"] < high
    assert sorted(found["per_kind"]) == ["crack", "pore"]
    assert (found["n"], found["n_good"], found["n_defect"], found["n_sessions"]) == (60, 30, 30, 12)
    assert found["policy"] == POLICY


def test_verdicts_are_those_of_the_policy_from_calib() -> None:
    found, rows = record()["shipped"], rows_of(0)
    fails = rows["score"] >= POLICY["threshold"]
    tn, fp, fn, tp = reference.confusion_matrix(rows["is_defect"], fails).ravel()
    assert [found[name] for name in ("passed", "rejected", "escaped", "caught")] == [tn, fp, fn, tp]
    assert found["escape_rate"] == pytest.approx(fn / 30)
    assert found["false_reject_rate"] == pytest.approx(fp / 30)
    assert found["f1"] == pytest.approx(reference.f1_score(rows["is_defect"], fails))
    assert found["f1"] <= record()["image_f1_max"]


def test_missing_masks_leave_pixel_numbers_undefined_and_say_why() -> None:
    found = record(with_mask=False)
    assert (found["pixel_auroc"], found["aupro"]) == (None, None)
    assert found["pixels"]["n_without_mask"] == 1
    assert any("no defective pixel is known" in note for note in found["notes"])
    flat = flat_anomaly_metrics(found)
    assert "aupro" not in flat
    assert flat["image_auroc"] == found["image_auroc"]
    assert flat["shipped.escape_rate"] == found["shipped"]["escape_rate"]
    assert flat["policy.threshold"] == POLICY["threshold"]
    assert all(type(value) is float for value in flat.values())


def test_table_has_a_row_a_category_and_detector_and_means_of_equal_sets_only() -> None:
    records = [record("seam", "patchcore"), record("pipe", "patchcore", seed=1), record("seam", "reference", seed=2)]
    table = comparison_table(records)
    assert table[["category", "detector"]].to_numpy().tolist() == [
        ["pipe", "patchcore"], ["seam", "patchcore"], ["seam", "reference"], ["mean", "patchcore"],
    ]  # fmt: skip
    mean = table.iloc[3]
    assert mean["image_auroc"] == pytest.approx((records[0]["image_auroc"] + records[1]["image_auroc"]) / 2)
    assert pd.isna(mean["n"])
    assert "mean" not in set(comparison_table(records[:1])["category"])


def test_mean_of_a_number_that_is_undefined_somewhere_is_undefined() -> None:
    table = comparison_table([record("seam", with_mask=False), record("pipe", seed=1)])
    assert pd.isna(table.iloc[-1]["aupro"])
    assert not pd.isna(table.iloc[-1]["image_auroc"])


def test_rate_at_which_aupro_ends_stands_beside_it() -> None:
    usual, strict = record("pipe"), record("seam", pixels=pixels(max_fpr=0.05))
    assert flat_anomaly_metrics(strict)["aupro.max_fpr"] == 0.05
    assert "AUPRO (FPR ≤ 0.05) |" in as_markdown(comparison_table([strict]))
    table = comparison_table([usual, strict])
    assert table["aupro_max_fpr"].tolist()[:2] == [0.3, 0.05]
    assert pd.isna(table.iloc[-1]["aupro"])
    text = as_markdown(table)
    assert f"{strict['aupro']:.3f} (≤ 0.05) |" in text
    assert "AUPRO (FPR ≤ 0.05 or 0.3) |" in text


def test_markdown_shows_numbers_intervals_and_what_is_undefined() -> None:
    found = record("a|b", with_mask=False, latency_ms={"p50": 12.54})
    text = as_markdown(comparison_table([found]))
    line = text.splitlines()[2]
    low, high = found["intervals"]["image_auroc"]
    assert line.startswith(f"| a\\|b | patchcore | {found['image_auroc']:.3f} ({low:.3f} to {high:.3f}) | ")
    assert " | – | – | 30 / 30 | conformal | " in line
    assert line.endswith(" | 12.5 |")


def test_figure_is_the_same_twice_and_marks_what_is_undefined() -> None:
    table = comparison_table([record("seam", with_mask=False), record("seam", "reference", seed=1)])
    first, second = (as_svg(comparison_figure(table)) for _ in range(2))
    assert first == second
    assert first.count("<!-- undefined -->") == 2  # pixel AUROC and AUPRO of the one without masks


def test_table_needs_one_record_of_each() -> None:
    with pytest.raises(WeldError, match="no record"):
        comparison_table([])
    with pytest.raises(WeldError, match="two records of patchcore on seam"):
        comparison_table([record(), record()])


def test_tiles_have_an_auroc_of_their_own() -> None:
    tiles = rows_of(3)
    found = tile_metrics(tiles, PROTOCOL)
    assert found["tile_auroc"] == pytest.approx(reference.roc_auc_score(tiles["is_defect"], tiles["score"]))
    assert (found["n_tiles"], found["n_defect_tiles"]) == (60, 30)
    low, high = found["tile_auroc_interval"]
    assert low < found["tile_auroc"] < high


def test_tiles_of_one_kind_have_no_auroc() -> None:
    found = tile_metrics(rows_of(3).assign(is_defect=True), PROTOCOL)
    assert (found["tile_auroc"], found["tile_auroc_interval"]) == (None, None)
    assert found["n_defect_tiles"] == 60
