import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.session_splits import assign_splits, merge_sessions, session_components

SHARES = {"train": 0.5, "valid": 0.15, "calib": 0.15, "test": 0.2}


def assign(labels, groups, *, fractions=SHARES, seed=0):
    return assign_splits(labels, groups, is_defect=[label != "a" for label in labels], fractions=fractions, seed=seed)


def test_equal_sessions_are_dealt_out_in_the_wanted_shares():
    labels = ["a", "b"] * 20
    groups = [f"g{i // 2}" for i in range(40)]
    splits = assign(labels, groups)
    assert {name: int((splits == name).sum()) for name in SHARES} == {"train": 20, "valid": 6, "calib": 6, "test": 8}


def test_each_class_of_single_class_sessions_stands_in_every_split():
    labels = [name for name in "abc" for _ in range(30)]
    groups = [f"{name}{i // 3}" for name in "abc" for i in range(30)]
    splits = assign(labels, groups)
    for name in "abc":
        assert set(splits[np.array(labels) == name]) == set(SHARES)


def test_class_of_one_session_is_trained_on():
    labels = ["a"] * 10 + ["b"] * 10 + ["rare"] * 4
    groups = [f"a{i}" for i in range(10)] + [f"b{i}" for i in range(10)] + ["only"] * 4
    assert set(assign(labels, groups)[-4:]) == {"train"}


def test_class_of_two_sessions_is_trained_on_and_tested():
    labels = ["a"] * 20 + ["rare"] * 4
    groups = [f"a{i}" for i in range(20)] + ["one", "one", "two", "two"]
    assert set(assign(labels, groups)[-4:]) == {"train", "test"}


def test_no_split_lacks_good_or_defective_welds_even_if_each_session_holds_one_class():
    labels = [name for name in "aaaabbccddee" for _ in range(4)]
    groups = [f"g{i // 4}" for i in range(len(labels))]
    splits = assign(labels, groups)
    for name in SHARES:
        assert {label == "a" for label in np.array(labels)[splits == name]} == {True, False}


def test_single_row_trains():
    assert assign(["a"], ["g"]).tolist() == ["train"]


def test_no_rows_have_no_splits():
    assert assign([], []).tolist() == []


def test_split_of_share_zero_gets_nothing():
    splits = assign(["a"] * 12, [f"g{i}" for i in range(12)], fractions={"train": 0.75, "calib": 0.25, "test": 0.0})
    assert {name: int((splits == name).sum()) for name in ("train", "calib", "test")} == {
        "train": 9,
        "calib": 3,
        "test": 0,
    }


@pytest.mark.parametrize("fractions", [{"train": 0.5, "test": 0.4}, {"train": 1.5, "test": -0.5}])
def test_fractions_that_make_no_whole_are_refused(fractions):
    with pytest.raises(WeldError, match="sum to 1"):
        assign(["a"], ["g"], fractions=fractions)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz")), min_size=1, max_size=30),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_groups_stay_whole_whatever_the_order_of_the_rows(rows, seed, random):
    labels, groups = zip(*rows, strict=True)
    splits = assign(labels, groups, seed=seed)
    where = dict(zip(groups, splits, strict=True))
    assert splits.tolist() == [where[group] for group in groups]
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = assign(*zip(*shuffled, strict=True), seed=seed)
    assert [where[group] for _, group in shuffled] == again.tolist()


def test_links_join_sessions_directly_and_by_way_of_others():
    merged = merge_sessions(["a", "b", "c", "d"], [("c", "b"), ("b", "a")])
    assert merged == {"a": "a+2", "b": "a+2", "c": "a+2", "d": "d"}


def test_rows_of_one_configuration_are_linked_across_dates():
    assert session_components(["d1", "d2", "d3"], ["c1", "c1", "c2"]) == ["d1+1", "d1+1", "d3"]


def test_unknown_configuration_links_nothing():
    assert session_components(["d1", "d2"], [None, None]) == ["d1", "d2"]


def test_real_listing_is_split_in_shares_with_every_class_tested(real_data):
    from weld_pipeline.sources.footage_index import Reading, index_source

    rows = index_source(real_data / "weldnet_results/dataset_structure.txt", Reading())
    labels = [row.label for row in rows]
    splits = assign(labels, [row.session for row in rows])
    assert {name: round(float((splits == name).mean()), 1) for name in ("train", "test")} == {"train": 0.5, "test": 0.2}
    for name in set(labels):
        assert {"train", "test"} <= set(splits[np.array(labels) == name])
