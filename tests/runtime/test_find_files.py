import os

import pytest
from PIL import Image

from weld_pipeline.media.suffixes import IMAGE_SUFFIXES, VIDEO_SUFFIXES, media_of
from weld_pipeline.runtime.find_files import find_files
from weld_pipeline.runtime.verdicts import NotInspected
from weld_pipeline.sources.layouts.listing import walk


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b.png", "a.JPG", "notes.txt", "deep/er/c.png", "odd [1].png", "empty/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(tree, *names):
    from pathlib import Path

    entries = find_files([Path(name) for name in names], media="image")
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
    assert hints[0] == "folder empty holds no image; name the files themselves"
    assert hints[1].startswith("pattern *.bmp matches no image")
    assert hints[2].startswith("pattern em* matches no image")


def test_both_media_are_found_by_the_suffixes_that_ingestion_knows(tmp_path):
    for suffix in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES):
        (tmp_path / f"a{suffix.upper()}").touch()
    for media, suffixes in (("image", IMAGE_SUFFIXES), ("video", VIDEO_SUFFIXES)):
        entries = find_files([tmp_path], media=media)
        assert sorted(entry.suffix.lower() for entry in entries) == sorted(suffixes)
        assert [walked for walked in walk(tmp_path).files if media_of(walked) == media] == [
            file.name for file in entries
        ]


def test_image_under_an_odd_suffix_is_found_by_its_first_bytes(tmp_path):
    for name in ("a.dat", "b", "c.png.bak", ".hidden.png"):
        Image.new("L", (4, 4)).save(tmp_path / name, "PNG")
    (tmp_path / "notes.txt").write_text("BM is how notes begin")
    (tmp_path / "clip.bin").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    assert [path.name for path in find_files([tmp_path], media="image")] == ["a.dat", "b", "c.png.bak"]
    assert [path.name for path in find_files([tmp_path], media="video")] == ["clip.bin"]


def test_what_is_passed_over_is_counted_by_suffix(tree, capsys):
    for name in ("weld.avi", "deep/log.csv", "deep/LICENSE"):
        (tree / name).touch()
    found(tree, ".")
    said = "weld: folder .: 5 file(s) passed over, which are no image: 1 .avi, 1 .csv, 2 .txt, 1 without a suffix"
    assert capsys.readouterr().err == f"{said}\n"


def test_link_is_named_where_it_leads_to_a_folder_or_nowhere(tree):
    (tree / "linked").symlink_to(tree / "deep")
    (tree / "lost.png").symlink_to(tree / "absent.png")
    hints = found(tree, ".")
    assert "lost.png" in hints  # which is tried, and is missing
    assert "folder linked is a link, which is not entered; name the folder itself" in hints


def test_pipe_is_named_and_never_opened(tree):
    os.mkfifo(tree / "camera.png")
    os.mkfifo(tree / "camera")
    hints = [hint for hint in found(tree, ".") if "camera" in hint]
    assert hints == [
        f"{name} is a pipe, a socket or a device, which is not opened; take it away"
        for name in ("camera", "camera.png")
    ]
