import json
from collections import Counter

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.image_index import ImageReading, index_images

IDS = {0: "good_weld", 1: "burn_through"}
SS304 = IDS | {2: "contamination", 3: "lack_of_fusion", 4: "lack_of_shielding_gas", 5: "high_travel_speed"}
RUN = "160705 113736-50mmLens w.s.140cm.m"


def write(root, entries, *, file="train/train.json", absent=()):
    folder = (root / file).parent
    for path in entries:
        if path not in absent:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(b"image")
    (root / file).write_text(json.dumps(entries))


def rows(root, **reading):
    return {row.sample_id: row for row in index_images(root, ImageReading(**{"class_ids": IDS} | reading))}


def test_class_session_and_split_of_a_frame(tmp_path):
    write(tmp_path, {f"{RUN}/image-0001.png": 0, f"{RUN}/image-0002.png": 1})
    row = rows(tmp_path)[f"train/{RUN}/image-0002.png"]
    assert (row.source, row.label, row.session, row.source_split) == ("tig", "burn_through", RUN, "train")
    assert (row.problem, row.config, row.path) == (None, None, f"train/{RUN}/image-0002.png")


def test_run_in_two_splits_is_one_session_and_its_frames_are_two_samples(tmp_path):
    for split in ("valid", "test"):
        write(tmp_path, {"run/image-1.png": 0}, file=f"{split}/{split}.json")
    indexed = rows(tmp_path)
    assert set(indexed) == {"valid/run/image-1.png", "test/run/image-1.png"}
    assert {row.session for row in indexed.values()} == {"run"}
    assert {row.source_split for row in indexed.values()} == {"valid", "test"}


def test_one_folder_with_one_json_has_no_splits(tmp_path):
    write(tmp_path, {"run/image-1.png": 0}, file="labels.json")
    row = rows(tmp_path)["run/image-1.png"]
    assert (row.session, row.source_split) == ("run", None)


def test_entry_without_file_and_file_without_entry_are_rows_with_reasons(tmp_path):
    write(tmp_path, {"run/a.png": 0, "run/b.png": 0}, absent=["run/b.png"])
    (tmp_path / "train/run/c.png").write_bytes(b"image")
    (tmp_path / "train/run/notes.txt").write_text("no image")
    problems = {path: row.problem for path, row in rows(tmp_path).items()}
    assert problems["train/run/a.png"] is None
    assert problems["train/run/b.png"].startswith("missing: there is no file train/run/b.png")
    assert problems["train/run/c.png"].startswith("unlisted: no json of class ids names it")
    assert len(problems) == 3


@pytest.mark.parametrize("class_id", [7, "0", True, None, 0.0, [0]])
def test_class_id_without_name_is_an_unknown_class(tmp_path, class_id):
    write(tmp_path, {"run/a.png": class_id, "run/b.png": 0})
    assert rows(tmp_path)["train/run/a.png"].problem.startswith(f"unknown_class: class id {class_id!r} has no name")


def test_path_with_two_class_ids_stops_and_one_named_twice_is_a_duplicate(tmp_path):
    write(tmp_path, {"run/a.png": 0})
    (tmp_path / "train/train.json").write_text('{"run/a.png": 0, "run/a.png": 1}')
    with pytest.raises(WeldError, match=r"run/a\.png is '0' in entry 1 of train/train\.json and '1' in entry 2"):
        rows(tmp_path)
    (tmp_path / "train/train.json").write_text('{"run/a.png": 0, "run/a.png": 0}')
    indexed = rows(tmp_path)
    assert indexed["train/run/a.png"].problem is None
    assert indexed["train/run/a.png#2"].problem.startswith("duplicate: ")


@pytest.mark.parametrize("path", ["../secret.png", "/etc/secret.png", "C:\\secret.png", ""])
def test_path_outside_its_folder_is_unsafe(tmp_path, path):
    write(tmp_path, {"run/a.png": 0})
    (tmp_path / "train/train.json").write_text(json.dumps({"run/a.png": 0, path: 0}))
    assert rows(tmp_path)[f"train:{path}"].problem.startswith(f"unsafe_path: path {path!r}")


def test_windows_paths_are_understood(tmp_path):
    write(tmp_path, {"run/a.png": 0})
    (tmp_path / "train/train.json").write_text(json.dumps({"run\\a.png": 0}))
    assert rows(tmp_path)["train/run/a.png"].problem is None


@pytest.mark.parametrize(
    ("text", "message"), [('{"a.png": 0', r"train\.json: is no json .*; mend"), ("[0, 1]", "holds no object of path")]
)
def test_bad_json_is_told(tmp_path, text, message):
    write(tmp_path, {"run/a.png": 0})
    (tmp_path / "train/train.json").write_text(text)
    with pytest.raises(WeldError, match=message):
        rows(tmp_path)


def test_two_json_files_in_a_folder_are_told(tmp_path):
    write(tmp_path, {"run/a.png": 0})
    write(tmp_path, {"run/a.png": 0}, file="train/more.json")
    with pytest.raises(WeldError, match="folder train holds several json files"):
        rows(tmp_path)


def test_class_ids_without_names_are_told(tmp_path):
    write(tmp_path, {"run/a.png": 0})
    with pytest.raises(WeldError, match=r"name them in index\.class_ids"):
        rows(tmp_path, class_ids={})


def test_folder_above_is_told_where_the_set_lies(tmp_path):
    write(tmp_path / "ss304", {"run/a.png": 0})
    with pytest.raises(WeldError, match=r"ss304/train/train\.json lies deeper; name the folder .*ss304 as the source"):
        rows(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        {"title": "Seams of station 4", "licenses": [{"name": "CC0-1.0"}]},
        ["good", "crack"],
        {"good": 0, "crack": 1},
        {"shapes": [], "imagePath": "good/0.png"},
        {
            "images": [{"id": 0, "file_name": "good/0.png"}],
            "annotations": [],
            "categories": [{"id": 0, "name": "good"}],
        },
        {"good/0.png": "c0ffee", "crack/0.png": "decade"},
        "{broken",
    ],
)
def test_json_of_anything_but_class_ids_beside_class_folders_is_passed_over(tmp_path, content):
    for folder in ("good", "crack"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0.png").write_bytes(b"image")
    (tmp_path / "some.json").write_text(content if isinstance(content, str) else json.dumps(content))
    indexed = rows(tmp_path, good_class="good")
    assert {path: (row.label, row.source) for path, row in indexed.items()} == {
        "good/0.png": ("good", "class_folders"),
        "crack/0.png": ("crack", "class_folders"),
    }


def test_json_of_class_ids_is_found_among_others(tmp_path):
    write(tmp_path, {"run/a.png": 0})
    (tmp_path / "train/card.json").write_text('{"title": "frames"}')
    assert rows(tmp_path)["train/run/a.png"].label == "good_weld"


def test_name_of_a_lone_surrogate_is_a_row_that_can_be_written(tmp_path):
    write(tmp_path, {"run/a.png": 0})
    (tmp_path / "train/train.json").write_text(r'{"run/a.png": 0, "run/\udce9.png": 0}')
    other = next(row for path, row in rows(tmp_path).items() if path != "train/run/a.png")
    assert other.problem.encode().startswith(b"missing: there is no file train/run/")


def test_session_pattern_takes_the_place_of_the_run_folder(tmp_path):
    write(tmp_path, {"160705-113736 a/1.png": 0, "160705-150850 b/1.png": 1})
    assert {row.session for row in rows(tmp_path, session_pattern=r"(\d{6})-").values()} == {"160705"}


def test_real_frames_are_120_of_six_classes_in_27_runs(real_data):
    indexed = index_images(real_data / "tig_ss304", ImageReading(class_ids=SS304))
    assert Counter(row.source_split for row in indexed) == {"train": 60, "valid": 60}
    assert Counter(row.label for row in indexed) == dict.fromkeys(SS304.values(), 20)
    assert len({row.session for row in indexed}) == 27
    assert not [row.problem for row in indexed if row.problem]
