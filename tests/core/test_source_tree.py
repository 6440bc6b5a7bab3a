import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.source_tree import SourceTree


def test_missing_folder_says_how_to_get_footage(tmp_path):
    with pytest.raises(WeldError, match=r"absent does not exist; draw sample welds with `kedro run --pipeline=sample"):
        SourceTree(tmp_path / "absent")


def test_folder_with_nothing_but_hidden_files_is_empty(tmp_path):
    (tmp_path / ".gitkeep").touch()
    with pytest.raises(WeldError, match="is empty; draw sample welds"):
        SourceTree(tmp_path)


def test_file_is_no_folder(tmp_path):
    (tmp_path / "weld.avi").touch()
    with pytest.raises(WeldError, match=r"weld\.avi is a file"):
        SourceTree(tmp_path / "weld.avi")


def test_folder_with_footage_is_taken(tmp_path):
    (tmp_path / "weld.avi").touch()
    assert SourceTree(tmp_path).root == tmp_path


def test_text_file_is_taken_as_a_listing_and_a_folder_is_none(tmp_path):
    (tmp_path / "listing.txt").write_text("+---good")
    assert SourceTree(tmp_path / "listing.txt").is_listing
    assert not SourceTree(tmp_path).is_listing
