import os
from pathlib import Path

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.layouts.listing import Names, read_listing, walk

WINDOWS = """\
Folder PATH listing for volume OS
Volume serial number is D44D-8477
C:\\FOOTAGE
|   LICENSE.txt
|   manifest.csv
|
+---good_1
|   +---04-03-23-0010-00
|   |   |   04-03-23-0010-00.avi
|   |   |   04-03-23-0010-00.csv
|   |   |
|   |   \\---images
|   |           20230403_150629_006.jpg
|   |
|   \\---04-03-23-0011-00
|           04-03-23-0011-00.avi
|
\\---overlap.v2
    \\---04-03-23-0001-06
            04-03-23-0001-06.csv
"""
UNIX = """\
.
├── good_1
│\u00a0\u00a0 ├── 04-03-23-0010-00
│\u00a0\u00a0 │\u00a0\u00a0 └── 04-03-23-0010-00.avi
│\u00a0\u00a0 └── 04-03-23-0011-00
└── notes.txt

3 directories, 2 files
"""


def listing(tmp_path, text):
    (tmp_path / "listing.txt").write_text(text, encoding="utf-8")
    return read_listing(tmp_path / "listing.txt")


def test_windows_listing_gives_files_and_folders_at_their_depth(tmp_path):
    names = listing(tmp_path, WINDOWS)
    assert names.files == (
        "LICENSE.txt",
        "good_1/04-03-23-0010-00/04-03-23-0010-00.avi",
        "good_1/04-03-23-0010-00/04-03-23-0010-00.csv",
        "good_1/04-03-23-0010-00/images/20230403_150629_006.jpg",
        "good_1/04-03-23-0011-00/04-03-23-0011-00.avi",
        "manifest.csv",
        "overlap.v2/04-03-23-0001-06/04-03-23-0001-06.csv",
    )
    assert "overlap.v2" in names.folders
    assert not names.are_here


@pytest.mark.parametrize("charset", ["utf-8", "ascii"])
def test_unix_listing_gives_the_same(tmp_path, charset):
    text = UNIX
    if charset == "ascii":
        text = text.replace("├──", "|--").replace("└──", "`--").replace("│\u00a0\u00a0 ", "|   ")
    names = listing(tmp_path, text)
    assert names.files == ("good_1/04-03-23-0010-00/04-03-23-0010-00.avi", "notes.txt")
    assert names.folders == ("good_1", "good_1/04-03-23-0010-00", "good_1/04-03-23-0011-00")


@pytest.mark.parametrize("content", [b"just some text\n", b"\xff\xfe\x00|"])
def test_text_that_is_no_listing_is_refused(tmp_path, content):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(WeldError, match=r"listing .*a\.txt"):
        read_listing(tmp_path / "a.txt")


LINKED = "unsafe_path: is a link to another folder; put the files themselves here"


def test_walk_leaves_hidden_files_out_and_does_not_enter_links(tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good/a.avi").touch()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/b.avi").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "good")
    assert walk(tmp_path) == Names(files=("good/a.avi",), folders=("good",), unusable={"linked": LINKED})


def test_avi_is_preferred_and_suffixes_may_be_capital():
    names = Names(files=("a/x.MKV", "a/x.mp4", "a/y.AVI"), folders=("a",))
    assert names.find_video("a", "x") == "a/x.mp4"
    assert names.find_video("a", "y") == "a/y.AVI"
    assert names.find_video("a", "z") is None


def test_real_listing_names_every_run(real_data):
    names = read_listing(real_data / "weldnet_results/dataset_structure.txt")
    assert len(names.videos) == 4040
    assert len([folder for folder in names.folders if "/" not in folder]) == 236
    assert Path(names.videos[0]).suffix == ".avi"


def test_entries_that_are_no_files_are_named_with_their_reason(tmp_path):
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.png", os.O_CREAT))
    names = walk(tmp_path)
    assert names.files == ()
    codes = {entry: problem.partition(":")[0] for entry, problem in names.unusable.items()}
    assert codes == {
        "caf\\udce9.png": "bad_name",
        "dangling.png": "missing",
        "loop.png": "missing",
        "pipe.png": "no_file",
    }


def test_files_in_a_folder_whose_name_is_not_utf8_are_named_each(tmp_path):
    folder = os.fsencode(tmp_path) + b"/ri\xdf"
    Path(os.fsdecode(folder)).mkdir()
    for name in (b"/1.png", b"/2.png"):
        os.close(os.open(folder + name, os.O_CREAT))
    names = walk(tmp_path)
    assert list(names.unusable) == ["ri\\udcdf/1.png", "ri\\udcdf/2.png"]
    assert names.folders == ()


def test_folder_that_cannot_be_read_stops_and_is_named(tmp_path, monkeypatch):
    (tmp_path / "crack").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("crack"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        WeldError, match=r"/crack cannot be read \(Permission denied\), so what lies in it would be left"
    ):
        walk(tmp_path)
