"""Splits for detectors: no defect is trained on, no session is cut, no row is lost."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.probe import Probe
from weld_pipeline.sources.layouts.rows import IndexRow, to_table
from weld_pipeline.sources.manifest import join_probes
from weld_pipeline.sources.splitting import cut_from_train, give_test_to_calib, split_as_source, split_by_session
from weld_pipeline.sources.train_eligibility import check_train, count_masks, empty_mask_sentence, may_train

SHARES = {"train": 0.5, "valid": 0.1, "calib": 0.15, "test": 0.25}


def manifest(*images):
    """Rows of (label, session[, split of the source])."""
    rows = [
        IndexRow(f"p{n}", "mvtec", f"p{n}.png", label, session=session, source_split=split[0] if split else None)
        for n, (label, session, *split) in enumerate(images)
    ]
    probes = {row.sample_id: Probe(None, 9, row.sample_id, 8, 8, n_frames=1) for row in rows}
    return join_probes(to_table(rows), probes, media="image", good_class="good", session_by="date")


def words(*images):
    return pd.Series([split for _, _, split in images], dtype="string")


def dealt(table, *, fractions=SHARES, seed=0, mask_px=None, defects_in_train="refuse"):
    allowed = may_train(table, mask_px or {}, defects_in_train=defects_in_train)
    return split_by_session(table, None, fractions=fractions, seed=seed, may_train=allowed)


def sessions(n, *labels):
    return [(label, f"{'-'.join(labels)}{i}") for i in range(n) for label in labels]


def test_train_holds_its_share_of_the_good_images_and_the_rest_is_shared_out():
    table = dealt(manifest(*sessions(40, "good"), *sessions(20, "crack")))
    counts = pd.crosstab(table["label"], table["split"])
    assert counts.loc["good"].to_dict() == {"train": 20, "valid": 4, "calib": 6, "test": 10}
    # 20 cracks in 10 : 15 : 25 of what is not train's.
    assert counts.loc["crack"].to_dict() == {"train": 0, "valid": 4, "calib": 6, "test": 10}


def test_good_images_beside_a_defect_do_not_train():
    table = dealt(manifest(*sessions(10, "good"), *sessions(10, "good", "crack")))
    train = table[table["split"] == "train"]
    assert train["session"].str.fullmatch(r"good\d").all()
    assert len(train) == 10  # half of all 20 good ones: every one that may


def test_copies_of_a_defective_session_do_not_train_either():
    table = manifest(("good", "a"), ("crack", "b"), *sessions(6, "good"))
    pairs = pd.DataFrame({"sample_id": ["p0"], "other_id": ["p1"]}, dtype="string")
    allowed = may_train(table, {}, defects_in_train="refuse")
    splits = split_by_session(table, pairs, fractions=SHARES, seed=0, may_train=allowed)["split"].tolist()
    assert splits[0] == splits[1] != "train"


def test_single_defective_session_is_tested():
    assert dealt(manifest(*sessions(8, "good"), ("crack", "only")))["split"].tolist()[-1] == "test"


def test_good_images_alone_are_dealt_as_ever():
    table = manifest(*sessions(20, "good"))
    plain = split_by_session(table, None, fractions=SHARES, seed=0)
    pd.testing.assert_frame_equal(dealt(table), plain)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["good", "crack", "pore"]), st.integers(0, 12)), min_size=1, max_size=40),
    st.integers(0, 3),
)
def test_no_defect_trains_no_session_is_cut_and_no_row_is_lost(images, seed):
    table = manifest(*((label, f"s{session}") for label, session in images))
    if (table["label"] != "good").all():
        with pytest.raises(WeldError, match="no usable image is good"):
            dealt(table, seed=seed)
        return
    split = dealt(table, seed=seed)
    assert split["sample_id"].tolist() == table["sample_id"].tolist()
    assert split["split"].notna().all()
    assert split.groupby("session")["split"].nunique().max() == 1
    train = split[split["split"] == "train"]
    assert (train["label"] == "good").all()
    defective = set(split.loc[split["is_defect"].astype(bool), "session"])
    assert bool(len(train)) == bool(set(split["session"]) - defective)


def test_train_without_rows_is_told():
    table = dealt(manifest(*sessions(4, "good", "crack")))
    with pytest.raises(WeldError, match="train is empty: no whole session is free of defects"):
        check_train(table, may_train(table, {}, defects_in_train="refuse"))


def test_no_share_but_trains_is_told():
    fractions = {"train": 1.0, "valid": 0.0, "calib": 0.0, "test": 0.0}
    with pytest.raises(WeldError, match=r"no other split has a share; mend split\.fractions"):
        dealt(manifest(("good", "a"), ("crack", "b")), fractions=fractions)


def test_no_good_image_is_told_with_both_ways_out():
    with pytest.raises(WeldError, match=r"check index\.good_class .* split\.defects_in_train=clean_tiles"):
        dealt(manifest(("crack", "a"), ("pore", "b")))


def test_quarantined_good_image_is_none():
    table = manifest(("good", "a"), ("crack", "b"))
    table.loc[0, ["status", "reason"]] = ["quarantined", "truncated: x"]
    with pytest.raises(WeldError, match="no usable image is good"):
        may_train(table, {}, defects_in_train="refuse")


def test_films_whose_masks_mark_something_may_train_on_clean_tiles():
    table = manifest(("weld_defect", "a"), ("weld_defect", "b"), ("weld_defect", "c"), ("weld_defect", "d"))
    mask_px = {"p0": 9, "p1": 9, "p2": 0}  # p2's is empty, p3 has none
    assert may_train(table, mask_px, defects_in_train="clean_tiles").tolist() == [True, True, False, False]
    split = dealt(table, mask_px=mask_px, defects_in_train="clean_tiles")
    assert set(split.loc[split["split"] == "train", "sample_id"]) <= {"p0", "p1"}
    assert (split["split"] == "train").any()


def test_split_of_the_source_is_kept_and_valid_and_calib_cut_from_its_train():
    images = [("good", f"g{n}", "train") for n in range(30)] + [("good", "t", "test"), ("crack", "c", "test")]
    table = split_as_source(manifest(*images), words(*images))
    splits = cut_from_train(table, ["valid", "calib"], None, fractions=SHARES, seed=0)["split"]
    # 0.5 : 0.1 : 0.15 of 30.
    assert splits.value_counts().to_dict() == {"train": 20, "calib": 6, "valid": 4, "test": 2}
    assert splits.tolist()[30:] == ["test", "test"]


def test_valid_of_the_source_is_left_alone():
    images = [("good", f"g{n}", "train") for n in range(10)] + [("good", "v", "validation"), ("crack", "c", "test")]
    table = split_as_source(manifest(*images), words(*images))
    splits = cut_from_train(table, ["valid", "calib"], None, fractions=SHARES, seed=0)["split"].tolist()
    assert (splits.count("valid"), splits[10], splits.count("calib")) == (1, "valid", 2)


def test_copies_within_train_are_cut_together():
    images = [("good", f"g{n}", "train") for n in range(12)]
    table = split_as_source(manifest(*images), words(*images))
    pairs = pd.DataFrame({"sample_id": ["p0", "p4"], "other_id": ["p4", "p8"]}, dtype="string")
    for seed in range(5):
        splits = cut_from_train(table, ["valid", "calib"], pairs, fractions=SHARES, seed=seed)["split"].tolist()
        assert splits[0] == splits[4] == splits[8]


def test_defect_in_train_of_the_source_is_told_by_name():
    images = [("good", "a", "train"), ("crack", "b", "train"), ("crack", "c", "test")]
    table = split_as_source(manifest(*images), words(*images))
    with pytest.raises(WeldError, match=r"1 defective image\(s\) stand in train.* p1 \(crack\); .*scheme=sessions"):
        check_train(table, may_train(table, {}, defects_in_train="refuse"))


def test_share_of_the_defective_sessions_of_test_goes_to_calib_and_no_other():
    images = [("good", "a", "train"), ("good", "b", "calib")]
    images += [(label, f"{label}{n}", "test") for label in ("good", "crack", "pore") for n in range(10)]
    table = split_as_source(manifest(*images), words(*images))
    split = give_test_to_calib(table, None, share=0.3, seed=0)
    counts = pd.crosstab(split["label"], split["split"])
    assert counts["calib"].to_dict() == {"crack": 3, "good": 1, "pore": 3}
    assert counts["test"].to_dict() == {"crack": 7, "good": 10, "pore": 7}


def test_given_sessions_stay_whole():
    images = [("good", "a", "train")] + [(label, f"t{n}", "test") for n in range(6) for label in ("good", "crack")]
    table = split_as_source(manifest(*images), words(*images))
    split = give_test_to_calib(table, None, share=0.5, seed=0)
    assert split.groupby("session")["split"].nunique().max() == 1
    assert split["split"].value_counts().to_dict() == {"calib": 6, "test": 6, "train": 1}


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_nothing_is_given_where_nothing_is_asked_or_nothing_is_defective(share):
    label = "good" if share else "crack"
    images = [("good", "a", "train"), (label, "b", "test"), (label, "c", "test")]
    table = split_as_source(manifest(*images), words(*images))
    pd.testing.assert_frame_equal(give_test_to_calib(table, None, share=share, seed=0), table)


def test_masks_are_counted_for_defective_rows_and_empty_ones_are_named():
    images = [("good", "a", "test"), ("crack", "b", "test"), ("crack", "c", "test"), ("crack", "d", "valid")]
    table = split_as_source(manifest(*images), words(*images))
    mask_px = {"p0": 0, "p1": 5, "p2": 0}
    counts = count_masks(table, mask_px)
    assert counts["test"] == {"marked": 1, "empty": 1, "without": 0}
    assert counts["valid"] == {"marked": 0, "empty": 0, "without": 1}
    assert empty_mask_sentence(table, mask_px) == (
        "1 defective image(s) have an empty mask, so no pixel of theirs counts as defective: p2."
    )
    assert empty_mask_sentence(table, {"p1": 5}) is None
