import pytest

from weld_pipeline.runtime.find_files import find_files
from weld_pipeline.runtime.verdicts import NotInspected


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b.png", "a.JPG", "notes.txt", "deep/er/c.png", "odd [1].png", "empty/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(tree, *names):
    from pathlib import Path

    entries = find_files([Path(name) for name in names], suffixes=(".png", ".jpg"), what="image")
    return [str(entry.error if isinstance(entry, NotInspected) else entry) for entry in entries]


def test_folder_gives_its_images_and_those_below_by_name(tree):
    assert found(tree, ".") == ["a.JPG", "b.png", "deep/er/c.png", "odd [1].png"]


def test_file_is_taken_whatever_its_name(tree):
    assert found(tree, "notes.txt", "missing.png") == ["notes.txt", "missing.png"]


def test_pattern_the_shell_left_alone_is_expanded(tree):
    assert found(tree, "*.png") == ["b.png", "odd [1].png"]
    assert found(tree, "**/*.png") == ["b.png", "deep/er/c.png", "odd [1].png"]


def test_pattern_of_folders_gives_what_lies_in_them(tree):
    assert found(tree, "d*") == ["deep/er/c.png"]


def test_file_whose_name_looks_like_a_pattern_is_that_file(tree):
    assert found(tree, "odd [1].png") == ["odd [1].png"]


def test_folder_or_pattern_without_an_image_is_named(tree):
    hints = found(tree, "empty", "*.bmp", "em*")
    assert hints[0] == "folder empty holds no image (.png .jpg); name the files themselves"
    assert hints[1].startswith("pattern *.bmp matches no image")
    assert hints[2].startswith("pattern em* matches no image")
