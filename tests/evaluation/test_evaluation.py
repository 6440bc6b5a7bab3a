"""Everything an evaluation says of one table."""

import json

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.estimates import VERDICT_RATES, Protocol
from weld_pipeline.evaluation.evaluation import evaluate
from weld_pipeline.evaluation.summary import class_table, flat_metrics, from_record, short_record, to_record

QUICK = Protocol(n_resamples=200)
CLASSES = ["Crack", "Good", "Pore"]


def table(n=120, seed=0, n_sessions=12):
    """Predictions with every column an evaluation can read; every fourth prediction is wrong."""
    rng = np.random.default_rng(seed)
    label = rng.choice(CLASSES, n)
    predicted = np.where(np.arange(n) % 4 == 0, np.roll(label, 1), label)
    probabilities = 0.05 + 0.85 * (predicted[:, None] == np.array(CLASSES))
    is_defect = label != "Good"
    return pd.DataFrame(
        {
            "label": label,
            "predicted": predicted,
            "session": (np.arange(n) % n_sessions).astype(str),
            "config": (np.arange(n) % 3).astype(str),
            "mean_luma": rng.normal(60, 5, n),
            "score": rng.normal(size=n) + 2 * is_defect,
            "anomaly": rng.normal(size=n) + is_defect,
            "p_defect": np.where(predicted == "Good", 0.1, 0.9),
            **dict(zip([f"p_{name}" for name in CLASSES], probabilities.T, strict=True)),
        }
    )


def by_probability(rows, threshold):
    """Return what a policy by p_defect says of rows, and its words."""
    fails = (rows["p_defect"] >= threshold).to_numpy()
    return {"fails": fails, "rule": f"fail from p_defect {threshold}"}


def test_evaluation_says_everything_the_columns_allow() -> None:
    rows = table()
    found = evaluate(rows, good=["Good"], protocol=QUICK, train=table(seed=1), **by_probability(rows, 0.5))
    assert found.rates["accuracy"].value == pytest.approx((rows["label"] == rows["predicted"]).mean())
    assert {"auroc", "auroc_anomaly", "brier", "nll", "brier_defect"} <= set(found.rates)
    assert set(found.reliability) == {"class", "defect"}
    assert set(found.auroc_per_defect["score"]) == set(found.auroc_per_defect["anomaly"]) == {"Crack", "Pore"}
    named = {(baseline.name, baseline.fit_on) for baseline in found.baselines}
    assert named == {(n, f) for n in ("majority", "session", "config", "mean_luma") for f in ("test", "train")}
    assert found.notes == []


def test_only_labels_and_sessions_suffice_and_the_rest_is_said_to_be_missing() -> None:
    found = evaluate(table()[["label", "predicted", "session"]], good=["Good"], protocol=QUICK)
    assert [baseline.name for baseline in found.baselines] == ["majority", "session"]
    assert found.reliability == {}
    assert any("No baseline from set-up" in note for note in found.notes)
    assert any("No baseline from mean brightness" in note for note in found.notes)


def test_verdict_that_is_shipped_is_judged_beside_the_class_said() -> None:
    rows = table()
    found = evaluate(rows, good=["Good"], protocol=QUICK, **by_probability(rows, 0.95))  # nothing fails
    assert found.shipped.rule == "fail from p_defect 0.95"
    assert found.shipped.pass_fail == {
        "caught": 0,
        "escaped": int((rows["label"] != "Good").sum()),
        "passed": int((rows["label"] == "Good").sum()),
        "rejected": 0,
    }
    assert found.shipped.rates["escape_rate"].value == 1.0
    assert set(found.shipped.rates) == {"defect_recall", "good_specificity", "escape_rate", "false_reject_rate"}
    assert found.pass_fail["caught"] > 0


def test_verdict_need_rest_on_no_probability() -> None:
    rows = table().drop(columns="p_defect")
    fails = (rows["predicted"] != "Good").to_numpy()  # the rule of models that nothing was calibrated for
    found = evaluate(rows, good=["Good"], protocol=QUICK, fails=fails, rule="by the class")
    assert found.shipped.pass_fail == found.pass_fail
    assert found.shipped.rates["escape_rate"] == found.rates["escape_rate"]


def test_predictions_without_a_shipped_verdict_have_none() -> None:
    assert evaluate(table(), good=["Good"], protocol=QUICK).shipped is None


def test_class_on_few_samples_is_marked_and_named() -> None:
    rows = table()
    rows.loc[:2, ["label", "predicted"]] = "Rust"
    found = evaluate(rows.drop(columns=[f"p_{name}" for name in CLASSES]), good=["Good"], protocol=QUICK)
    recall = found.per_class["Rust"]["recall"]
    assert (recall.value, recall.n, recall.is_small) == (1.0, 3, True)
    assert any(note.startswith("n is too small for Rust: 3 samples of 3 session(s)") for note in found.notes)


def test_class_of_the_model_that_never_occurs_is_named() -> None:
    rows = table()[["label", "predicted", "session"]]
    found = evaluate(rows, good=["Good"], protocol=QUICK, classes=[*CLASSES, "Warping"])
    assert found.per_class["Warping"]["recall"].value is None
    assert "No sample of Warping: nothing is known of it." in found.notes


def test_sessions_that_all_agree_do_not_pass_for_certainty() -> None:
    rows = table().assign(predicted=lambda t: t["label"]).drop(columns=[f"p_{name}" for name in CLASSES])
    found = evaluate(rows, good=["Good"], protocol=QUICK)
    assert any("all 12 sessions agree" in note for note in found.notes)


def test_no_good_class_leaves_the_two_class_view_undefined() -> None:
    found = evaluate(table()[["label", "predicted", "session"]], good=[], protocol=QUICK)
    assert {found.rates[name].value for name in VERDICT_RATES} == {None}
    assert any("No good class" in note for note in found.notes)


def test_one_session_gets_numbers_but_no_interval() -> None:
    found = evaluate(table(n_sessions=1), good=["Good"], protocol=QUICK)
    assert found.rates["accuracy"].value is not None
    assert found.rates["accuracy"].low is None
    assert any("n is too small: 120 samples of 1 session(s)" in note for note in found.notes)
    assert any("all rows are of one session" in note for note in found.notes)


def test_single_row_is_scored_without_failing() -> None:
    found = evaluate(table().head(1), good=["Good"], protocol=QUICK)
    assert found.n == 1
    assert found.rates["accuracy"].value in {0.0, 1.0}


def test_model_that_only_knows_the_session_has_no_margin_over_it() -> None:
    rows = pd.DataFrame({"label": np.repeat(["a", "b", "c"], 40), "session": np.repeat(np.arange(12).astype(str), 10)})
    found = evaluate(rows.assign(predicted=rows["label"]), good=[], protocol=QUICK)  # each session holds one class
    by_session = next(baseline for baseline in found.baselines if baseline.name == "session")
    assert by_session.rates["accuracy"].value == 1.0
    assert (by_session.margin.value, by_session.margin.low, by_session.margin.high) == (0.0, 0.0, 0.0)


def test_session_learnt_on_train_tells_nothing_where_sessions_are_disjoint() -> None:
    train = table(seed=1).assign(session=lambda t: "train " + t["session"])
    found = evaluate(table(), good=["Good"], protocol=QUICK, train=train)
    rates = {(b.name, b.fit_on): b.rates["accuracy"].value for b in found.baselines}
    assert rates["session", "train"] == rates["majority", "train"]


def test_seed_decides_the_intervals() -> None:
    one, again = (evaluate(table(), good=["Good"], protocol=QUICK) for _ in range(2))
    other = evaluate(table(), good=["Good"], protocol=Protocol(n_resamples=200, seed=1))
    assert to_record(one) == to_record(again)
    assert one.rates["accuracy"].low != other.rates["accuracy"].low


def test_record_survives_json() -> None:
    found = evaluate(table(), good=["Good"], protocol=QUICK, train=table(seed=1), **by_probability(table(), 0.5))
    assert from_record(json.loads(json.dumps(to_record(found), allow_nan=False))) == found


def test_broken_record_is_refused_by_field() -> None:
    record = to_record(evaluate(table(), good=["Good"], protocol=QUICK))
    record["n"] = "many"
    with pytest.raises(WeldError, match="evaluation record: n: "):
        from_record(record)


def test_flat_metrics_are_finite_numbers_with_their_intervals() -> None:
    shipped = by_probability(table(), 0.5)
    flat = flat_metrics(evaluate(table(), good=["Good"], protocol=QUICK, train=table(seed=1), **shipped))
    assert all(isinstance(value, float) and np.isfinite(value) for value in flat.values())
    assert {"accuracy", "accuracy.low", "accuracy.high", "recall.Pore", "shipped.escape_rate"} <= set(flat)
    assert {"margin.session_from_test", "baseline.mean_luma_from_train", "ece", "ece_class"} <= set(flat)


def test_class_table_has_a_row_a_class() -> None:
    rows = class_table(evaluate(table(), good=["Good"], protocol=QUICK)).set_index("label")
    assert list(rows.index) == CLASSES
    assert rows["is_good"].tolist() == [False, True, False]
    assert rows.loc["Good", "auroc_score"] is pd.NA
    assert rows.loc["Pore", "recall_low"] <= rows.loc["Pore", "recall"] <= rows.loc["Pore", "recall_high"]


def test_probabilities_of_some_classes_only_are_refused() -> None:
    with pytest.raises(WeldError, match=r"columns \['p_Pore'\] are missing"):
        evaluate(table().drop(columns="p_Pore"), good=["Good"], protocol=QUICK)


def test_short_record_has_the_promised_keys() -> None:
    found = short_record(evaluate(table(), good=["Good"], protocol=QUICK), session_rule="day")
    promised = {"accuracy", "macro_f1", "balanced_accuracy", "per_class_recall", "defect_recall", "good_specificity"}
    assert promised | {"intervals", "session_baseline", "n", "n_sessions"} <= set(found)
    assert promised <= set(found["intervals"])
    assert {"accuracy", "rule"} <= set(found["session_baseline"])


def test_short_record_has_no_session_baseline_where_nothing_tells_the_session() -> None:
    assert short_record(evaluate(table(), good=["Good"], protocol=QUICK), session_rule=None)["session_baseline"] is None
