"""Which runs train, and the refusals before any work."""

import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.samples import choose_classes, ids_of, usable_rows, with_clips

SPLITS = ("train", "valid", "calib", "test")


def manifest(labels=("Good", "Spatter", "Overlap"), splits=SPLITS):
    rows = [
        {"sample_id": f"{label}-{split}", "label": label, "split": split, "is_defect": label != "Good"}
        for label in labels
        for split in splits
    ]
    return pd.DataFrame(rows).assign(media="video", status="ok", reason=None)


def test_classes_follow_the_given_order_then_their_names():
    table = manifest(("Zeta", "Overlap", "Good", "Alpha"))
    chosen = choose_classes(table, order=["Good", "Spatter", "Overlap"])
    assert chosen.names == ("Good", "Overlap", "Alpha", "Zeta")
    assert (chosen.good, chosen.good_index) == ("Good", 0)


def test_quarantined_rows_and_images_are_not_used():
    table = manifest()
    table.loc[0, "status"] = "quarantined"
    table.loc[1, "media"] = "image"
    assert len(usable_rows(table, media="video")) == len(table) - 2


def test_manifest_without_a_usable_video_says_why():
    table = manifest().assign(status="quarantined", reason="no arc")
    with pytest.raises(WeldError, match=r"none of 12 rows of the manifest is a usable video \(no arc\)"):
        usable_rows(table, media="video")


def test_empty_split_is_named_with_all_counts():
    with pytest.raises(WeldError, match=r"split calib is empty \({'train': 3, 'valid': 3, 'calib': 0, 'test': 3}\)"):
        choose_classes(manifest(splits=("train", "valid", "test")), order=[])


def test_split_that_is_not_needed_may_be_empty():
    table = manifest(splits=("train", "valid"))
    assert choose_classes(table, order=[], needed=("train", "valid")).good == "Good"


def test_class_that_train_does_not_hold_is_named():
    table = manifest()
    table = table[~((table["label"] == "Spatter") & (table["split"] == "train"))]
    with pytest.raises(
        WeldError, match=r"class 'Spatter' has 3 sample\(s\), all in calib, test, valid and none in train"
    ):
        choose_classes(table, order=[])


def test_class_cannot_bear_the_name_of_the_calibrated_probability():
    with pytest.raises(WeldError, match="class 'defect': the probability of this class and the calibrated `p_defect`"):
        choose_classes(manifest(("Good", "defect")), order=[])


@pytest.mark.parametrize("good", [[], ["Good", "Spatter"]])
def test_there_must_be_one_good_class(good):
    table = manifest()
    table["is_defect"] = ~table["label"].isin(good)
    with pytest.raises(WeldError, match="exactly one is needed"):
        choose_classes(table, order=[])


def test_runs_without_a_clip_are_left_out_and_named(caplog):
    table = manifest()
    n_clips = pd.Series(3, index=table["sample_id"])
    n_clips["Good-test"] = 0
    assert "Good-test" not in set(with_clips(table, n_clips)["sample_id"])
    assert "1 of 12 runs have no clip and are left out: Good-test" in caplog.text


def test_footage_without_any_clip_is_an_error():
    table = manifest()
    with pytest.raises(WeldError, match="none of 12 runs has a clip"):
        with_clips(table, pd.Series(0, index=table["sample_id"]))


def test_split_without_a_wanted_run_names_the_labels():
    good = manifest(("Good",), splits=("train",))
    assert ids_of(good, "train") == ["Good-train"]
    with pytest.raises(WeldError, match="split valid holds no run of Good"):
        ids_of(good, "valid")
