from collections import Counter

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
        (f"1 {BOX}\n1 {BOX} 0.3", "line 2 .* is neither a box nor a polygon"),
        ("good 0.5 0.5 0.2 0.2", "line 1 .* is not made of numbers"),
        (f"3 {BOX}", r"line 1 has class 3, which data\.yaml does not name"),
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
