import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import MANIFEST
from weld_pipeline.media.probe import Probe
from weld_pipeline.sources.layouts.rows import IndexRow, to_table
from weld_pipeline.sources.manifest import (
    join_probes,
    near_duplicate_image_table,
    near_duplicate_table,
)
from weld_pipeline.sources.splitting import cut_from_train, split_as_source, split_by_session

NO_PAIRS = pd.DataFrame({"sample_id": [], "other_id": []}, dtype="string")
SHARES = {"train": 0.5, "valid": 0.15, "calib": 0.15, "test": 0.2}


def row(sample_id, *, label="Good", session="d1", config="c1", **kept):
    return IndexRow(sample_id, "intel", f"{sample_id}.avi", label, sample_id, session, config, **kept)


def probe(sha256, *, problem=None, **kept):
    return Probe(problem, 1000, sha256, 960, 600, 31.0, 62, 0.5, 1.0, 30.0, duration_s=2.0, **kept)


def manifest(rows, probes, *, session_by="date"):
    table = join_probes(to_table(rows), probes, media="video", good_class="Good", session_by=session_by)
    return table.set_index("sample_id", drop=False)


def test_rows_in_are_rows_out_in_the_manifests_columns():
    rows = [row("a"), row("b", problem="missing: x"), row("c")]
    table = manifest(rows, {"a": probe("1"), "c": probe(None, problem="truncated: y")})
    assert list(table.columns) == list(MANIFEST.columns)
    assert table["status"].tolist() == ["ok", "quarantined", "quarantined"]
    assert table["reason"].tolist()[1:] == ["missing: x", "truncated: y"]
    assert table["split"].isna().all()


def test_what_the_probe_found_is_in_the_manifest():
    joined = manifest([row("a", label="Overlap", travel_mm_s=5.0)], {"a": probe("1")}).loc["a"]
    assert (joined["n_frames"], joined["duration_s"], joined["arc_on_s"]) == (62, 2.0, 1.0)
    assert (joined["is_defect"], joined["travel_mm_s"], joined["mean_luma"]) == (True, 5.0, 30.0)


def test_good_weld_is_no_defect_and_a_row_without_class_is_neither():
    table = manifest([row("a"), row("b", label=None, problem="unknown_class: x")], {"a": probe("1")})
    assert table.loc["a", "is_defect"] is False or table.loc["a", "is_defect"] == False  # noqa: E712
    assert pd.isna(table.loc["b", "is_defect"])


def test_second_file_of_the_same_bytes_is_quarantined():
    table = manifest([row("a"), row("b"), row("c")], {"a": probe("1"), "b": probe("1"), "c": probe("2")})
    assert table["status"].tolist() == ["ok", "quarantined", "ok"]
    assert table.loc["b", "reason"] == "duplicate: the same bytes as a, which is kept"


def test_same_bytes_under_two_labels_are_both_quarantined():
    table = manifest([row("a"), row("b", label="Overlap")], {"a": probe("1"), "b": probe("1")})
    assert (
        table["reason"].str.startswith("label_conflict: the same bytes bear different labels (a is Good, b is ").all()
    )


def test_copy_of_a_row_that_cannot_be_used_anyway_is_no_duplicate():
    table = manifest([row("a"), row("b")], {"a": probe("1", problem="no_arc: x"), "b": probe("1", problem="no_arc: x")})
    assert set(table["reason"]) == {"no_arc: x"}


def test_row_without_session_is_quarantined():
    table = manifest([row("a", session=None), row("b")], {"a": probe("1"), "b": probe("2")})
    assert table.loc["a", "reason"].startswith("no_session: its source gives no date")


@pytest.mark.parametrize(
    ("by", "sessions"),
    [
        ("date", ["d1", "d1", "d2", "d3"]),
        ("config", ["c1", "c2", "c2", "c3"]),
        ("components", ["d1+1", "d1+1", "d1+1", "d3"]),
    ],
)
def test_session_is_date_configuration_or_what_they_link(by, sessions):
    rows = [row("a"), row("b", config="c2"), row("c", session="d2", config="c2"), row("d", session="d3", config="c3")]
    table = manifest(rows, {name: probe(name) for name in "abcd"}, session_by=by)
    assert table["session"].tolist() == sessions


def test_quarantined_rows_link_nothing():
    rows = [row("a"), row("b", session="d2", config="c1", problem="missing: x")]
    assert manifest(rows, {"a": probe("1")}, session_by="components").loc["a", "session"] == "d1"


def test_near_duplicates_are_looked_for_among_usable_rows():
    mark = {"scene": "0" * 16, "flicker": "1011000101" * 10}
    probes = {"a": probe("1", **mark), "b": probe("2", **mark), "c": probe("3", problem="truncated: x", **mark)}
    table = manifest([row("a"), row("b"), row("c")], probes)
    assert near_duplicate_table(table, probes).to_numpy().tolist() == [["a", "b"]]


def sessions_manifest(n_sessions=12):
    rows = [
        row(f"s{session}-{label}", label=label, session=f"d{session:02}")
        for session in range(n_sessions)
        for label in ("Good", "Overlap")
    ]
    return manifest(rows, {one.sample_id: probe(one.sample_id) for one in rows}).reset_index(drop=True)


def split_sessions(table, pairs=NO_PAIRS, **changes):
    return split_by_session(table, pairs, **{"fractions": SHARES, "seed": 0} | changes)


def test_every_usable_row_gets_a_split_and_sessions_stay_whole():
    table = split_sessions(sessions_manifest())
    assert table["split"].notna().all()
    assert table.groupby("session")["split"].nunique().max() == 1
    assert set(table["split"]) == {"train", "valid", "calib", "test"}


def test_quarantined_rows_get_no_split():
    table = manifest([row("a"), row("b", problem="missing: x")], {"a": probe("1")})
    assert split_sessions(table.reset_index(drop=True))["split"].tolist()[0] == "train"
    assert split_sessions(table.reset_index(drop=True))["split"].isna().tolist() == [False, True]


def test_sessions_that_hold_copies_of_each_other_go_together():
    table = sessions_manifest()
    names = [f"s{session}-Good" for session in range(12)]
    pairs = pd.DataFrame({"sample_id": names[:-1], "other_id": names[1:]}, dtype="string")
    assert set(split_sessions(table, pairs)["split"]) == {"train"}
    assert len(set(split_sessions(table, None)["split"])) == 4


def split_words(words, **kept):
    rows = [row(f"r{i}", session=f"d{i}", source_split=word, **kept) for i, word in enumerate(words)]
    index = to_table(rows)
    table = manifest(rows, {one.sample_id: probe(one.sample_id) for one in rows}).reset_index(drop=True)
    return cut_from_train(split_as_source(table, index["source_split"]), ["calib"], None, fractions=SHARES, seed=0)


def test_split_of_the_source_is_taken_and_calib_cut_from_its_train():
    table = split_words(["TRAIN"] * 13 + ["VAL", "Test"])
    assert table["split"].tolist()[13:] == ["valid", "test"]
    # 0.15 / 0.65 of 13 one-row sessions.
    assert table["split"].tolist()[:13].count("calib") == 3


def test_calib_of_the_source_is_left_alone():
    table = split_words(["train", "train", "calib", "test"])
    assert table["split"].tolist() == ["train", "train", "calib", "test"]


def test_usable_row_with_an_unknown_split_is_quarantined():
    table = split_words(["train", "extra", None])
    assert table["reason"].tolist()[1] == "no_split: its source says 'extra'; write TRAIN, VAL, CALIB or TEST there"
    assert table["status"].tolist() == ["ok", "quarantined", "quarantined"]


def test_source_without_splits_cannot_split():
    with pytest.raises(WeldError, match=r"set split\.scheme=sessions"):
        split_words([None, None])


def image_manifest(rows, probes, *, good_class="Good"):
    return join_probes(to_table(rows), probes, media="image", good_class=good_class, session_by="date")


def image_probe(sha256, **kept):
    return Probe(None, 1000, sha256, 640, 480, n_frames=1, mean_luma=30.0, **kept)


def test_image_has_one_frame_and_no_time():
    table = image_manifest([row("a")], {"a": image_probe("1")})
    assert (table.loc[0, "media"], table.loc[0, "n_frames"], table.loc[0, "status"]) == ("image", 1, "ok")
    assert table.loc[0, ["fps", "duration_s", "arc_start_s", "arc_on_s"]].isna().all()


def test_without_a_good_class_every_labelled_row_is_a_defect():
    rows = [row("a"), row("b", label="crazing"), row("c", label=None, problem="unknown_class: x")]
    table = image_manifest(rows, {"a": image_probe("1"), "b": image_probe("2")}, good_class=None)
    assert table["is_defect"].tolist()[:2] == [True, True]
    assert pd.isna(table.loc[2, "is_defect"])


def test_image_without_session_is_quarantined_with_the_key_to_look_at():
    table = image_manifest([row("a", session=None)], {"a": image_probe("1")})
    assert table.loc[0, "reason"] == (
        "no_session: its source gives no series; see split.session and index.session_pattern"
    )


def test_mask_that_marks_defects_on_a_good_image_is_a_conflict():
    rows = [row("a", mask_path="a_mask.png"), row("b", mask_path="b_mask.png"), row("c", label="crack")]
    probes = {name: image_probe(name, mask_px=px) for name, px in (("a", 12), ("b", 0), ("c", 12))}
    table = image_manifest(rows, probes)
    assert table["status"].tolist() == ["quarantined", "ok", "ok"]
    assert table.loc[0, "reason"] == ("label_conflict: its class is good, but its mask marks 12 px; mend one of them")
    assert table["mask_path"].tolist()[:2] == ["a_mask.png", "b_mask.png"]


def test_copies_of_an_image_are_looked_for_across_sessions_among_usable_rows():
    rows = [row(name, session=session) for name, session in zip("abcd", ["s1", "s1", "s2", "s3"], strict=True)]
    probes = {name: image_probe(name, scene="0" * 64) for name in "abc"}
    table = image_manifest(rows, probes | {"d": Probe("truncated: x", 10, scene="0" * 64)})
    pairs = near_duplicate_image_table(table, probes)
    assert pairs.to_numpy().tolist() == [["a", "c"], ["b", "c"]]


def test_flat_images_have_no_copies():
    probes = {name: image_probe(name, scene=None) for name in "ab"}
    table = image_manifest([row("a", session="s1"), row("b", session="s2")], probes)
    assert near_duplicate_image_table(table, probes).empty


@pytest.mark.parametrize(
    ("fractions", "splits"),
    [
        ({"train": 0.8, "valid": 0.2, "calib": 0.0, "test": 0.0}, ["train"] * 4 + ["valid"] * 2),
        ({"train": 0.5, "valid": 0.25, "calib": 0.25, "test": 0.0}, None),
    ],
)
def test_source_of_train_and_valid_leaves_test_empty_and_gives_calib_only_a_share_it_is_granted(fractions, splits):
    rows = [row(f"r{n}", session=f"d{n}", source_split="train" if n < 4 else "valid") for n in range(6)]
    table = image_manifest(rows, {one.sample_id: image_probe(one.sample_id) for one in rows})
    index = to_table(rows)
    proposed = split_as_source(table, index["source_split"])
    cut = cut_from_train(proposed, ["calib"], None, fractions=fractions, seed=0)["split"].tolist()
    if splits is not None:
        assert cut == splits
    else:
        # A third of the four train sessions (.25 of .75) is one.
        assert sorted(cut) == ["calib", "train", "train", "train", "valid", "valid"]
