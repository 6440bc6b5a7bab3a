import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.samples import choose_samples, chosen_files, draw_samples, first_filled


def manifest(*rows):
    columns = ["sample_id", "label", "is_defect", "split", "status"]
    return pd.DataFrame(rows, columns=columns).astype({"is_defect": "boolean"})


ROWS = manifest(
    ("u2", "Undercut", True, "test", "ok"),
    ("g2", "Good", False, "test", "ok"),
    ("g1", "Good", False, "test", "ok"),
    ("b1", "Burnthrough", True, "calib", "ok"),
    ("u1", "Undercut", True, "test", "ok"),
    ("p1", "Porosity", True, "train", "ok"),
    ("q1", "Warping", True, "test", "quarantined"),
)


def chosen(n, rows=ROWS, splits=("calib", "test")):
    return choose_samples(rows, splits=splits, n_samples=n)["sample_id"].tolist()


def test_good_weld_comes_first_then_each_defect_then_second_ones():
    assert chosen(10) == ["g1", "b1", "u1", "g2", "u2"]


def test_other_splits_and_quarantined_rows_are_left_out():
    assert chosen(10, splits=("test",)) == ["g1", "u1", "g2", "u2"]


def test_choice_does_not_depend_on_the_order_of_rows():
    assert chosen(3) == chosen(3, ROWS.sample(frac=1, random_state=0)) == ["g1", "b1", "u1"]


def test_first_split_with_usable_rows_is_taken():
    assert first_filled(ROWS, splits=("valid", "calib", "test")) == "calib"
    only_quarantined = ROWS[ROWS["sample_id"].isin(["q1", "p1"])]
    assert first_filled(only_quarantined, splits=("test", "train")) == "train"


def test_no_usable_row_in_any_split_is_named():
    with pytest.raises(WeldError, match="no usable sample with a label in valid"):
        first_filled(ROWS, splits=("valid",))


def test_drawn_samples_follow_the_seed_and_not_the_order_of_rows():
    def drawn(seed, rows=ROWS):
        return draw_samples(rows, split="test", n_samples=3, seed=seed)["sample_id"].tolist()

    assert drawn(0) == drawn(0, ROWS.sample(frac=1, random_state=1))
    assert len({tuple(drawn(seed)) for seed in range(20)}) > 1
    assert sorted(draw_samples(ROWS, split="test", n_samples=99, seed=0)["sample_id"]) == ["g1", "g2", "u1", "u2"]


def test_chosen_files_are_those_of_the_first_split_that_holds_some(tmp_path):
    rows = ROWS.assign(path=ROWS["sample_id"] + ".png")
    found = chosen_files(rows, tmp_path, splits=("valid", "test", "calib"), n_samples=2)
    assert list(found.items()) == [("g1", tmp_path / "g1.png"), ("u1", tmp_path / "u1.png")]
    with pytest.raises(WeldError, match="no usable sample with a label in valid"):
        chosen_files(rows, tmp_path, splits=("valid",), n_samples=2)


def test_chosen_file_outside_the_folder_is_refused(tmp_path):
    with pytest.raises(WeldError, match="leaves its folder"):
        chosen_files(ROWS.assign(path="../g1.png"), tmp_path, splits=("test",), n_samples=1)
