from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.image_index import ImageReading, index_images
from weld_pipeline.sources.layouts.yolo import classes_in

CLASSES = {0: "Bad Weld", 1: "Good Weld", 2: "Defect"}
WORST_FIRST = ("Defect", "Bad Weld", "Good Weld")
BOX = "0.5 0.5 0.2 0.2"


def write(root, labels, *, split="train", names="names: [Bad Weld, Good Weld, Defect]"):
    for folder in ("images", "labels"):
        (root / split / folder).mkdir(parents=True, exist_ok=True)
    for name, text in labels.items():
        (root / split / f"images/{name}.jpg").write_bytes(b"image")
        if text is not None:
            (root / split / f"labels/{name}.txt").write_text(text)
    (root / "data.yaml").write_text(f"train: /somewhere/else/train/images\nnc: 3\n{names}\n")


def rows(root, **reading):
    settings = {"good_class": "Good Weld", "label_priority": WORST_FIRST} | reading
    return {row.path.rpartition("/")[2]: row for row in index_images(root, ImageReading(**settings))}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"1 {BOX}\n", "Good Weld"),
        (f"1 {BOX}\n0 {BOX}\n", "Bad Weld"),
        (f"0 {BOX}\n1 {BOX}\n2 {BOX}\n1 {BOX}\n", "Defect"),
        ("2 0.1 0.1 0.9 0.1 0.5 0.9\n\n", "Defect"),
    ],
)
def test_image_gets_the_worst_class_any_of_its_boxes_bears(tmp_path, text, label):
    write(tmp_path, {"a": text, "good": f"1 {BOX}"})
    row = rows(tmp_path)["a.jpg"]
    assert (row.label, row.problem, row.source_split, row.source) == (label, None, "train", "yolo")


@pytest.mark.parametrize("text", ["", "\n", None])
def test_image_without_boxes_is_unlabelled_unless_a_class_is_given(tmp_path, text):
    write(tmp_path, {"a": text, "good": f"1 {BOX}"})
    assert rows(tmp_path)["a.jpg"].problem.startswith("unlabelled: ")
    row = rows(tmp_path, label_if_empty="Good Weld")["a.jpg"]
    assert (row.label, row.problem) == ("Good Weld", None)


def test_without_a_ranking_boxes_of_several_classes_are_a_conflict(tmp_path):
    write(tmp_path, {"a": f"1 {BOX}\n0 {BOX}", "b": f"1 {BOX}\n1 {BOX}"})
    indexed = rows(tmp_path, label_priority=())
    assert indexed["a.jpg"].problem.startswith("label_conflict: its boxes are Good Weld, Bad Weld; rank the classes")
    assert indexed["b.jpg"].label == "Good Weld"


def test_ranking_must_name_every_class(tmp_path):
    write(tmp_path, {"a": f"1 {BOX}"})
    with pytest.raises(WeldError, match=r"rank each of them once \(different: Defect\)"):
        rows(tmp_path, label_priority=("Bad Weld", "Good Weld"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("1 0.5 0.5 0.2", "line 1 '1 0.5 0.5 0.2' is neither a box nor a polygon"),
        (f"1 {BOX}\n1 {BOX} 1.3", "line 2 .* is neither a box nor a polygon"),
        (f"0.5 {BOX}", "line 1 has class 0.5, which is no whole number"),
        (f"-1 {BOX}", "line 1 has class -1, which the yaml of classes does not name"),
        (f"nan {BOX}", "line 1 .* holds what is no finite number"),
        ("good 0.5 0.5 0.2 0.2", "line 1 .* is not made of numbers"),
        (f"3 {BOX}", "line 1 has class 3, which the yaml of classes does not name"),
    ],
)
def test_broken_label_file_is_a_row_with_a_reason(tmp_path, text, what):
    write(tmp_path, {"a": text, "good": f"1 {BOX}"})
    problem = rows(tmp_path)["a.jpg"].problem
    assert problem.startswith("bad_value: train/labels/a.txt: line ")
    with pytest.raises(WeldError, match=what):
        classes_in(text, CLASSES)


def test_label_file_that_is_no_text_is_a_row_with_a_reason(tmp_path):
    write(tmp_path, {"a": f"1 {BOX}", "good": f"1 {BOX}"})
    (tmp_path / "train/labels/a.txt").write_bytes(b"\xff\xfe\x00\x81")
    assert rows(tmp_path)["a.jpg"].problem.startswith("bad_value: train/labels/a.txt: ")


@pytest.mark.parametrize("number", ["1.0", "1.000000e+00", "1.", "01"])
@pytest.mark.parametrize("box", [BOX, f"{BOX} 0.93", "0.1 0.1 0.9 0.1 0.5 0.9 0.41"])
def test_class_number_may_be_a_decimal_and_a_confidence_may_follow(tmp_path, number, box):
    write(tmp_path, {"a": f"{number} {box}\n"})
    row = rows(tmp_path)["a.jpg"]
    assert (row.label, row.problem) == ("Good Weld", None)


def test_labels_that_cannot_be_read_never_make_an_image_good(tmp_path, monkeypatch):
    write(tmp_path, {"a": f"0 {BOX}", "b": None, "c": f"0 {BOX}", "good": f"1 {BOX}"})
    (tmp_path / "train/labels/b.txt").symlink_to(tmp_path / "gone.txt")
    read_text = Path.read_text

    def refuse(path, **options):
        if path.name == "c.txt":
            raise PermissionError(13, "Permission denied")
        return read_text(path, **options)

    monkeypatch.setattr(Path, "read_text", refuse)
    indexed = rows(tmp_path, label_if_empty="Good Weld")
    assert indexed["b.jpg"].problem.startswith("bad_value: train/labels/b.txt: missing: is a link that leads nowhere")
    assert indexed["c.jpg"].problem == (
        "bad_value: train/labels/c.txt: cannot be read (Permission denied); give yourself the right to read it"
    )
    assert (indexed["b.jpg"].label, indexed["c.jpg"].label) == (None, None)


def test_folder_of_labels_that_is_missing_never_makes_its_images_good(tmp_path):
    write(tmp_path, {"a": f"1 {BOX}"})
    (tmp_path / "valid/images").mkdir(parents=True)
    (tmp_path / "valid/images/b.jpg").write_bytes(b"image")
    row = rows(tmp_path, label_if_empty="Good Weld")["b.jpg"]
    assert (row.label, row.problem.split("; ")[0]) == (
        None,
        "bad_value: valid/labels/b.txt: there is no folder valid/labels",
    )


def test_yaml_of_classes_may_bear_another_name(tmp_path):
    write(tmp_path, {"a": f"1 {BOX}"})
    (tmp_path / "data.yaml").rename(tmp_path / "weld.yaml")
    (tmp_path / "export.yml").write_text("tool: some\n")
    assert rows(tmp_path)["a.jpg"].label == "Good Weld"
    (tmp_path / "other.yaml").write_text("names: [x]\n")
    with pytest.raises(WeldError, match=r"other\.yaml and weld\.yaml name classes; call the right one data\.yaml"):
        rows(tmp_path)


def test_label_file_alone_and_image_outside_are_rows_with_reasons(tmp_path):
    write(tmp_path, {"a": f"1 {BOX}"})
    (tmp_path / "train/labels/gone.txt").write_text(f"1 {BOX}")
    (tmp_path / "stray.jpg").write_bytes(b"image")
    indexed = rows(tmp_path)
    assert indexed["gone.txt"].problem.startswith("missing: no image of this name")
    assert indexed["stray.jpg"].problem.startswith("unlisted: lies in no folder `images`")
    assert len(indexed) == 3


def test_frames_of_a_video_and_augmented_copies_are_one_session(tmp_path):
    names = [f"Sample_3_mp4-{n}_jpg.rf.{c * 32}" for n, c in ((1, "a"), (1, "b"), (12, "c"))]
    write(tmp_path, dict.fromkeys(names, f"1 {BOX}"))
    assert {row.session for row in rows(tmp_path).values()} == {"Sample_3_mp4"}
    indexed = rows(tmp_path, session_pattern=r"mp4-(\d+)_")
    assert {row.session for row in indexed.values()} == {"1", "12"}
    indexed = rows(tmp_path, session_pattern=r"/(plate\d+)_")
    assert {row.session for row in indexed.values()} == {"Sample_3_mp4"}


def test_classes_may_be_numbered_in_data_yaml(tmp_path):
    write(tmp_path, {"a": f"5 {BOX}"}, names="names:\n  5: Good Weld")
    assert rows(tmp_path, label_priority=())["a.jpg"].label == "Good Weld"


def test_images_before_splits_are_understood(tmp_path):
    write(tmp_path, {})
    for folder, suffix, content in (("images", "jpg", b"image"), ("labels", "txt", f"1 {BOX}".encode())):
        (tmp_path / folder / "val").mkdir(parents=True)
        (tmp_path / folder / f"val/a.{suffix}").write_bytes(content)
    row = rows(tmp_path)["a.jpg"]
    assert (row.label, row.source_split) == ("Good Weld", "val")


@pytest.mark.parametrize("names", ["classes: [a]", "names: 3", "names: [a", "names: {x: a}"])
def test_data_yaml_without_classes_is_told(tmp_path, names):
    write(tmp_path, {"a": f"1 {BOX}"}, names=names)
    with pytest.raises(WeldError, match=r"data\.yaml: names no classes"):
        rows(tmp_path)


def test_folder_above_is_told_where_the_set_lies(tmp_path):
    write(tmp_path / "photos", {"a": f"1 {BOX}"})
    with pytest.raises(WeldError, match=r"photos/data\.yaml lies deeper; name the folder .*photos as the source"):
        rows(tmp_path)


share = st.floats(0, 1).map(lambda value: f"{value:.6f}")
boxes = st.lists(st.tuples(st.integers(0, 2), st.one_of(*[st.lists(share, min_size=n, max_size=n) for n in (4, 6, 8)])))


@given(boxes)
def test_classes_found_are_those_of_the_boxes(drawn):
    text = "\n".join(" ".join([str(number), *shares]) for number, shares in drawn)
    assert classes_in(text, CLASSES) == list(dict.fromkeys(CLASSES[number] for number, _ in drawn))


@given(st.text("012 .-x\n"))
def test_any_text_gives_classes_or_the_one_error(text):
    try:
        present = classes_in(text, CLASSES)
    except WeldError:
        return
    assert set(present) <= set(CLASSES.values())


def test_real_photos_are_320_of_which_81_are_good(real_data):
    aliases = {"Good Weld": "good_weld", "Bad Weld": "bad_weld", "Defect": "bad_weld"}
    indexed = index_images(
        real_data / "weld_photos",
        ImageReading(good_class="good_weld", label_priority=WORST_FIRST, class_aliases=aliases),
    )
    assert Counter(row.label for row in indexed) == {"bad_weld": 239, "good_weld": 81}
    assert not [row.problem for row in indexed if row.problem]
    assert len({row.session for row in indexed}) == 29
