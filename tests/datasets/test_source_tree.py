import json
import logging

import pytest
from kedro.io import DatasetError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.items.pending import Item, PendingItems
from weld_pipeline.datasets.source_tree import SourceTreeDataset


def files(contents, *, version=1, fails_at=None):
    def work(payload):
        if payload == fails_at:
            raise KeyboardInterrupt
        return payload.encode()

    items = [Item(path, f"{path}-{text}-{version}", text) for path, text in contents.items()]
    return PendingItems(lambda: work, items, "files")


CONTENTS = {"manifest.csv": "m", "a/a.avi": "one", "a/images/1.jpg": "two"}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "footage"


@pytest.fixture
def dataset(root):
    return SourceTreeDataset(filepath=str(root))


def test_drawn_files_lie_where_they_were_planned(dataset, root):
    dataset.save(files(CONTENTS))
    assert {path: (root / path).read_text() for path in CONTENTS} == CONTENTS
    assert dataset.load().root == root


def test_record_lists_every_drawn_file(dataset, root):
    dataset.save(files(CONTENTS))
    record = json.loads((root / "DRAWN.json").read_text())
    assert set(record["files"]) == set(CONTENTS)
    assert "no recordings of real welds" in record["note"]


def test_existing_files_are_kept_and_counted(dataset, root, caplog):
    dataset.save(files(CONTENTS))
    (root / "a/a.avi").write_text("mine")
    (root / "a/images/1.jpg").unlink()
    with caplog.at_level(logging.INFO):
        dataset.save(files(CONTENTS))
    assert (root / "a/a.avi").read_text() == "mine"
    assert (root / "a/images/1.jpg").read_text() == "two"
    assert "1 files drawn, 2 existing files kept" in caplog.text


def test_own_file_at_a_planned_place_is_not_taken_for_a_drawn_one(dataset, root):
    (root / "a").mkdir(parents=True)
    (root / "a/a.avi").write_text("mine")
    with pytest.raises((WeldError, DatasetError), match=r"files that were not drawn \(first: a/a\.avi\)"):
        dataset.save(files(CONTENTS))
    assert (root / "a/a.avi").read_text() == "mine"
    assert not (root / "DRAWN.json").exists()


def test_interrupted_drawing_is_refused_until_it_is_finished(dataset, root):
    with pytest.raises(KeyboardInterrupt):
        dataset.save(files(CONTENTS, fails_at="two"))
    assert (root / "a/a.avi").read_text() == "one"
    with pytest.raises((WeldError, DatasetError), match="was interrupted; finish it with"):
        dataset.load()
    dataset.save(files(CONTENTS))
    assert dataset.load().root == root


def test_drawn_files_are_never_mixed_with_footage(dataset, root):
    root.mkdir()
    (root / "real.avi").write_text("real")
    with pytest.raises((WeldError, DatasetError), match=r"files that were not drawn \(first: real\.avi\)"):
        dataset.save(files(CONTENTS))
    assert [path.name for path in root.iterdir()] == ["real.avi"]


def test_other_parameters_do_not_draw_over_an_earlier_shop(dataset, root):
    dataset.save(files(CONTENTS))
    with pytest.raises((WeldError, DatasetError), match="drawn with other parameters"):
        dataset.save(files(CONTENTS, version=2))
    assert (root / "a/a.avi").read_text() == "one"


def test_unreadable_record_is_named(dataset, root):
    dataset.save(files(CONTENTS))
    (root / "DRAWN.json").write_text("{")
    with pytest.raises((WeldError, DatasetError), match=r"DRAWN\.json cannot be read"):
        dataset.load()


def test_missing_footage_says_what_to_run(dataset):
    with pytest.raises((WeldError, DatasetError), match="kedro run --pipeline=sample_data"):
        dataset.load()
    assert not dataset.exists()
