import json

import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.report.audit_figure import plot_class_by_session
from weld_pipeline.sources.audit import (
    audit_splits,
    class_by_session,
    confound_scores,
    confound_table,
    probe_warnings,
    refuse_crossings,
)

NO_PAIRS = pd.DataFrame({"sample_id": [], "other_id": []}, dtype="string")


def table(*rows):
    """Rows of (id, label, session, split); a row without a split is quarantined."""
    frame = pd.DataFrame(rows, columns=["sample_id", "label", "session", "split"])
    frame["status"] = frame["split"].notna().map({True: "ok", False: "quarantined"})
    frame["reason"] = frame["split"].isna().map({True: "missing: x", False: None})
    return frame.assign(config="c", run_id=frame["sample_id"], source="intel", mean_luma=30.0)


CLEAN = table(("a", "Good", "d1", "train"), ("b", "Overlap", "d2", "test"), ("c", "Good", "d3", None))
CROSSING = table(("a", "Good", "d1", "train"), ("b", "Overlap", "d1", "test"), ("c", "Good", "d2", "test"))


def audit(frame, pairs=NO_PAIRS, *, allow_leakage=False):
    return audit_splits(frame, pairs, allow_leakage=allow_leakage)


def test_clean_split_has_no_crossing_and_no_banner():
    report = audit(CLEAN)
    assert report["crossings"] == {"sessions": {}, "near_duplicates": []}
    assert report["banners"] == []
    refuse_crossings(report["crossings"])


def test_audit_counts_rows_reasons_sessions_and_classes():
    report = audit(CLEAN)
    assert (report["n_rows"], report["n_ok"], report["n_quarantined"]) == (3, 2, 1)
    assert report["quarantined_by_reason"] == {"missing": 1}
    assert report["splits"]["train"] == {"n": 1, "n_sessions": 1, "classes": {"Good": 1}}


def test_audit_is_plain_json():
    assert json.loads(json.dumps(audit(CROSSING), allow_nan=False)) == audit(CROSSING)


def test_session_in_two_splits_stops_the_run_and_is_named():
    report = audit(CROSSING)
    assert report["crossings"]["sessions"] == {"d1": {"train": 1, "test": 1}}
    with pytest.raises(
        WeldError, match=r"1 session\(s\) stand in more than one split: d1 \(train 1, test 1\).*allow_leakage"
    ):
        refuse_crossings(report["crossings"])


def test_copies_in_two_splits_stop_the_run_and_are_named():
    pairs = pd.DataFrame({"sample_id": ["a"], "other_id": ["b"]})
    report = audit(CLEAN, pairs)
    with pytest.raises(WeldError, match=r"near-duplicate .*: a \(train\) and b \(test\)"):
        refuse_crossings(report["crossings"])


def test_copies_in_one_split_are_counted_and_allowed():
    pairs = pd.DataFrame({"sample_id": ["b"], "other_id": ["c"]})
    report = audit(CROSSING, pairs)
    assert report["n_near_duplicates"] == 1
    assert report["crossings"]["near_duplicates"] == []


def test_allowed_leakage_is_said_in_a_banner():
    (banner,) = audit(CROSSING, allow_leakage=True)["banners"]
    assert banner.startswith("LEAKAGE ALLOWED: 1 session(s) stand in more than one split: d1 (train 1, test 1).")


def test_leakage_allowed_and_absent_is_not_said():
    assert audit(CLEAN, allow_leakage=True)["banners"] == []


def test_many_offenders_are_cut_short_in_the_message():
    rows = [(f"{i}{split}", "Good", f"d{i:02}", split) for i in range(30) for split in ("train", "test")]
    with pytest.raises(WeldError, match=r"30 session\(s\).* d19 \(train 1, test 1\) and 10 more"):
        refuse_crossings(audit(table(*rows))["crossings"])


def test_drawn_data_are_said_in_a_banner():
    assert audit(CLEAN.assign(source="drawn"))["banners"] == [
        "DRAWN DATA: 2 of 2 usable samples were drawn; no number here is a result."
    ]


def test_run_id_used_twice_is_told():
    frame = CLEAN.assign(run_id=["r1", "r1", "r2"])
    assert audit(frame)["duplicate_run_ids"] == {"r1": ["a", "b"]}


def test_empty_splits_and_absent_classes_are_warned_of():
    warnings = " ".join(audit(CROSSING)["warnings"])
    assert "No usable row in valid, calib" in warnings
    assert "Class Overlap has no row in train: it stands in 1 session(s)." in warnings


def test_detectors_need_each_defect_in_test_alone():
    frame = pd.concat([CROSSING, table(("d", "Crack", "d4", "calib"), ("e", "Good", "d5", "valid"))])
    found = audit_splits(
        frame.assign(is_defect=frame["label"] != "Good"), NO_PAIRS, allow_leakage=False, is_fit_on_good=True
    )
    absent = [sentence for sentence in found["warnings"] if "has no row in" in sentence]
    assert absent == [
        "Class Crack has no row in test: it stands in 1 session(s).",
        "Class Good has no row in calib: it stands in 3 session(s).",
    ]


def test_doubts_of_one_kind_are_one_sentence_that_says_whose_numbers_it_gives():
    probes = {"a": {"warnings": ["low: 10 bits"]}, "b": {"warnings": ["low: 12 bits", "dark: all"]}, "c": {}}
    assert probe_warnings(CROSSING, probes) == [
        "low: 10 bits. So a, and with numbers of their own all of 2 row(s): a, b.",
        "dark: all. So 1 row(s): b.",
    ]


def test_own_session_for_every_recording_is_warned_of():
    assert "Every recording is its own session" in audit(CLEAN)["warnings"][0]


def test_class_by_session_counts_quarantined_rows_too():
    table = class_by_session(CLEAN).to_dict("records")
    assert table == [
        {"session": "d1", "splits": "train", "n_usable": 1, "Good": 1, "Overlap": 0},
        {"session": "d2", "splits": "test", "n_usable": 1, "Good": 0, "Overlap": 1},
        {"session": "d3", "splits": "", "n_usable": 0, "Good": 1, "Overlap": 0},
    ]


def test_session_that_holds_one_class_gives_the_label_away():
    # Two sessions, one class each: every row finds its own label among the others of its session. The configuration is
    # the same for all; leaving one out of 3 + 2 rows, the majority is Good for all but is right for the 3 Good ones.
    frame = table(
        *[(f"{i}", "Good", "d1", "train") for i in range(3)], *[(f"b{i}", "Overlap", "d2", "test") for i in range(2)]
    )
    scores = confound_scores(frame)
    assert scores["session"] == {"n": 5, "n_groups": 2, "accuracy": 1.0, "balanced_accuracy": 1.0}
    assert scores["majority"]["accuracy"] == 0.6
    assert scores["majority"]["balanced_accuracy"] == 0.5


def test_brightness_is_left_out_session_by_session():
    # Two sessions of two classes, told apart by brightness alone; two rows a session, so that the neighbours of the
    # other session are one of each class and the nearer one does not win the vote of both: ties go to Good.
    frame = table(("a", "Good", "d1", "train"), ("b", "Overlap", "d1", "train"), ("c", "Good", "d2", "test"))
    frame["mean_luma"] = [10.0, 90.0, 12.0]
    scores = confound_scores(frame)["mean_luma"]
    assert (scores["n"], scores["n_groups"]) == (3, 2)
    assert scores["accuracy"] == pytest.approx(2 / 3)  # d1 sees only Good; d2 sees Good and Overlap, the tie is Good


def test_confound_nobody_knows_is_told():
    frame = CLEAN.assign(mean_luma=None, config=None)
    scores = confound_scores(frame)
    assert scores["mean_luma"] == {"n": 0, "unknown": "fewer than two rows have a value"}
    assert scores["config"]["n"] == 0


def test_confound_table_has_a_row_for_each_look_up_on_each_set_of_rows():
    table = confound_table(audit(CLEAN)["confounds"])
    assert table[["rows", "column"]].to_numpy().tolist() == [
        [rows, column] for rows in ("indexed", "usable") for column in ("majority", "session", "config", "mean_luma")
    ]


def test_plot_has_a_dot_for_each_class_in_each_session():
    axes = plot_class_by_session(class_by_session(CROSSING)).axes[0]
    assert len(axes.collections[0].get_offsets()) == 3
    assert [label.get_text() for label in axes.get_xticklabels()] == ["d1", "d2"]


def test_plot_of_very_many_sessions_says_what_it_leaves_out():
    rows = [(str(i), "Good", f"d{i:03}", "train") for i in range(130)]
    axes = plot_class_by_session(class_by_session(table(*rows))).axes[0]
    assert "10 smaller ones not shown" in axes.get_title(loc="left")
