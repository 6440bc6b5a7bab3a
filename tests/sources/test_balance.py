import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import MANIFEST, SPLITS, checked
from weld_pipeline.sources.balance import draw_balanced, equal_shares

WANTED = {"train": 10, "valid": 4, "calib": 0, "test": 4}


def table(counts, *, n_quarantined=0):
    """Rows from {split: {class: n}}; a session holds rows of one split."""
    rows = [
        {"sample_id": f"{split}/{label}/{n}", "label": label, "split": split, "session": f"{split} {n % 3}"}
        for split, labels in counts.items()
        for label, count in labels.items()
        for n in range(count)
    ]
    frame = pd.DataFrame(rows).assign(status="ok", reason=None)
    lost = [{"sample_id": f"lost {n}", "label": "crack", "reason": "empty: x"} for n in range(n_quarantined)]
    frame = pd.concat([frame, pd.DataFrame(lost, columns=frame.columns).assign(status="quarantined")])
    frame = frame.assign(source="tig", media="image", path=frame["sample_id"], is_defect=frame["label"] != "good")
    return checked(frame.reindex(columns=list(MANIFEST.columns)).reset_index(drop=True), MANIFEST)


def draw(manifest, **changes):
    settings = {"good_class": "good", "defect_class": "defect", "per_class": WANTED, "seed": 0} | changes
    return draw_balanced(manifest, **settings)


PLENTY = {
    "train": {"good": 40, "crack": 30, "burn": 30},
    "valid": {"good": 9, "crack": 9, "burn": 9},
    "test": {"good": 9, "crack": 9, "burn": 9},
}


def test_both_classes_get_what_is_wanted_and_each_kind_of_defect_half():
    manifest, report = draw(table(PLENTY))
    usable = manifest[manifest["status"] == "ok"]
    assert pd.crosstab(usable["split"], usable["label"]).to_dict() == {
        "good": {"train": 10, "valid": 4, "test": 4},
        "defect": {"train": 10, "valid": 4, "test": 4},
    }
    kinds = usable["sample_id"].str.split("/").str[1]
    assert kinds[usable["split"] == "train"].value_counts().to_dict() == {"good": 10, "crack": 5, "burn": 5}
    assert report["unfilled"] == []
    assert report["splits"]["train"] == {
        "wanted": 10,
        "got": 10,
        "available": {"good": 40, "defect": 60},
        "per_type": {"burn": {"available": 30, "got": 5}, "crack": {"available": 30, "got": 5}},
    }


def test_rows_in_are_rows_out_and_those_not_drawn_are_quarantined():
    before = table(PLENTY, n_quarantined=2)
    manifest, _ = draw(before)
    assert manifest["sample_id"].tolist() == before["sample_id"].tolist()
    assert manifest["reason"].str.split(":").str[0].value_counts().to_dict() == {"not_drawn": 154 - 36, "empty": 2}
    assert manifest.loc[manifest["status"] == "quarantined", "split"].isna().all()
    assert set(manifest["label"]) == {"good", "defect"}


def test_sessions_stay_in_their_split():
    manifest, _ = draw(table(PLENTY))
    usable = manifest[manifest["status"] == "ok"]
    assert usable.groupby("session")["split"].nunique().max() == 1


def test_scarcer_class_bounds_both_and_it_is_said():
    manifest, report = draw(table(PLENTY | {"valid": {"good": 9, "crack": 2}, "test": {"good": 1, "burn": 9}}))
    counts = manifest[manifest["status"] == "ok"].groupby(["split", "label"]).size()
    assert counts["valid"].to_dict() == {"defect": 2, "good": 2}
    assert counts["test"].to_dict() == {"defect": 1, "good": 1}
    assert report["unfilled"] == [
        "valid: 2 of 4 a class; there are 9 good and 2 defect.",
        "test: 1 of 4 a class; there are 1 good and 9 defect.",
    ]


def test_kind_with_too_few_is_made_up_for_by_the_others_and_it_is_said():
    _, report = draw(table({"train": {"good": 20, "crack": 20, "burn": 1, "pore": 20}}), per_class={"train": 12})
    assert {kind: one["got"] for kind, one in report["splits"]["train"]["per_type"].items()} == {
        "burn": 1,
        "crack": 6,
        "pore": 5,
    }
    assert report["unfilled"] == ["train: too few for an equal share of 4: burn 1."]


def test_split_with_nothing_to_draw_from_is_said():
    _, report = draw(table({"train": PLENTY["train"]}))
    assert report["unfilled"] == [
        "valid: 0 of 4 a class; there are 0 good and 0 defect.",
        "test: 0 of 4 a class; there are 0 good and 0 defect.",
    ]


def test_draw_is_that_of_its_seed_whatever_the_order_of_the_rows():
    manifest = table(PLENTY)
    first = draw(manifest)[0]
    again = draw(manifest.sample(frac=1, random_state=1))[0].sort_index()
    pd.testing.assert_frame_equal(first, again)
    assert draw(manifest, seed=1)[0]["status"].tolist() != first["status"].tolist()


def test_merged_class_cannot_bear_the_good_name():
    with pytest.raises(WeldError, match=r"both classes are called 'good'; set balance\.defect_class"):
        draw(table(PLENTY), defect_class="good")


@pytest.mark.parametrize(("left", "absent"), [("good", "defective"), ("crack", "good")])
def test_one_kind_of_weld_cannot_be_balanced(left, absent):
    with pytest.raises(WeldError, match=f"no usable row is {absent}"):
        draw(table({"train": {left: 5}}))


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 12), min_size=1), st.integers(0, 40))
def test_shares_fill_the_total_and_only_a_used_up_kind_gets_less(available, total):
    take = equal_shares(available, total)
    assert sum(take.values()) == min(total, sum(available.values()))
    most = max(take.values())
    assert all(take[kind] >= most - 1 or take[kind] == available[kind] for kind in available)
    assert all(take[kind] <= available[kind] for kind in available)


counts = st.dictionaries(
    st.sampled_from(["valid", "calib", "test"]),
    st.fixed_dictionaries({"good": st.integers(0, 6), "crack": st.integers(0, 6), "burn": st.integers(0, 6)}),
)


@settings(max_examples=20)
@given(counts, st.dictionaries(st.sampled_from(SPLITS), st.integers(0, 8)))
def test_every_split_holds_equally_many_of_both_classes(drawn, wanted):
    manifest, report = draw(table({"train": {"good": 3, "crack": 3}} | drawn), per_class=wanted)
    usable = manifest[manifest["status"] == "ok"]
    for split, account in report["splits"].items():
        labels = usable.loc[usable["split"] == split, "label"].tolist()
        assert labels.count("good") == labels.count("defect") == account["got"] <= wanted.get(split, 0)
