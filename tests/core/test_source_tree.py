import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.source_tree import SourceTree


def test_folder_with_a_file_is_a_source(tmp_path):
    (tmp_path / "a.avi").touch()
    assert not SourceTree(tmp_path).is_listing


def test_text_file_is_a_listing(tmp_path):
    (tmp_path / "listing.txt").write_text("+---good")
    assert SourceTree(tmp_path / "listing.txt").is_listing


@pytest.mark.parametrize(
    ("name", "message"), [("none", "does not exist"), ("a.avi", "is a file and no listing"), ("hidden", "is empty")]
)
def test_what_is_no_source_is_named_with_the_next_step(tmp_path, name, message):
    (tmp_path / "a.avi").touch()
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/.DS_Store").touch()
    with pytest.raises(WeldError, match=rf"{name} {message}.*; draw sample welds .* footage_root="):
        SourceTree(tmp_path / name)
