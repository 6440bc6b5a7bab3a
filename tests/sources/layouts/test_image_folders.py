import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.image_index import ImageReading, index_images


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"image")


def rows(root, **reading):
    return {row.sample_id: row for row in index_images(root, ImageReading(**reading))}


def test_class_is_the_folder_and_each_file_its_own_session(tmp_path):
    touch(tmp_path, "good_welds/1.png", "bad_welds/2.JPG")
    indexed = rows(tmp_path, good_class="good_welds")
    assert {path: row.label for path, row in indexed.items()} == {
        "good_welds/1.png": "good_welds",
        "bad_welds/2.JPG": "bad_welds",
    }
    assert indexed["bad_welds/2.JPG"].session == "bad_welds/2.JPG"


@pytest.mark.parametrize(
    ("path", "split"),
    [("train/good/1.png", "train"), ("Valid/good/1.png", "Valid"), ("good/1.png", None), ("test/images/good/1.png", "test")],
)  # fmt: skip
def test_split_folders_are_told_from_class_folders(tmp_path, path, split):
    touch(tmp_path, path)
    row = rows(tmp_path, good_class="good")[path]
    assert (row.label, row.source_split) == ("good", split)


def test_session_pattern_groups_files(tmp_path):
    touch(tmp_path, "good/w12_1.png", "good/w12_2.png", "bad/w7_1.png")
    indexed = rows(tmp_path, good_class="good", session_pattern=r"(w\d+)_")
    assert [row.session for row in indexed.values()] == ["w7", "w12", "w12"]


def test_file_in_whose_path_the_pattern_finds_nothing_is_its_own_session(tmp_path):
    touch(tmp_path, "good/w12_1.png", "bad/odd.png")
    indexed = rows(tmp_path, good_class="good", session_pattern=r"(w\d+)_")
    assert indexed["bad/odd.png"].session == "bad/odd.png"


def test_files_that_may_be_images_are_tried_and_others_are_passed_over(tmp_path):
    touch(tmp_path, "good/1.png", "good/2.heic", "good/notes.txt", "good/film.avi", "loose.png")
    indexed = rows(tmp_path, good_class="good")
    assert set(indexed) == {"good/1.png", "good/2.heic", "loose.png"}
    assert indexed["loose.png"].problem.startswith("unknown_class: lies in no class folder")


def test_wrong_good_class_is_told_with_the_classes_there_are(tmp_path):
    touch(tmp_path, "good_welds/1.png", "bad_welds/2.png")
    with pytest.raises(WeldError, match=r"set index\.good_class to one of bad_welds, good_welds"):
        rows(tmp_path)


def test_folder_without_images_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(WeldError, match="no image found in the layout 'class_folders'"):
        rows(tmp_path)


def test_aliases_make_several_classes_one(tmp_path):
    touch(tmp_path, "good/1.png", "crack/2.png", "pore/3.png")
    indexed = rows(tmp_path, good_class="good", class_aliases={"crack": "bad", "pore": "bad"})
    assert sorted(row.label for row in indexed.values()) == ["bad", "bad", "good"]


def test_listing_of_class_folders_names_what_is_not_here(tmp_path):
    (tmp_path / "listing.txt").write_text("+---good\n|       1.png\n|\n\\---bad\n        2.png\n")
    indexed = rows(tmp_path / "listing.txt", good_class="good")
    assert {row.problem.split(":")[0] for row in indexed.values()} == {"missing"}
    with pytest.raises(WeldError, match=r"the classes of layout 'tig' stand in its files; name the folder itself"):
        rows(tmp_path / "listing.txt", layout="tig")


def test_riawelc_prefixes_are_classes_and_its_files_sessions(tmp_path):
    touch(tmp_path, "cr_01.png", "lp_01.png", "nd_01.png", "po_01.png")
    indexed = rows(tmp_path, good_class="no_defect")
    assert [row.label for row in indexed.values()] == ["crack", "lack_of_penetration", "no_defect", "porosity"]
    assert {row.source for row in indexed.values()} == {"riawelc"}
    assert len({row.session for row in indexed.values()}) == 4


def test_riawelc_as_published_tells_split_class_and_film(tmp_path):
    paths = [
        "training/Difetto1/RRT-13R_Img1_A80_S3_[10][11].png",
        "validation/Difetto2/RRT-13R_Img1_A80_S4_[9][3].png",
        "testing/Difetto4/bam5_Img2_A80_S5_[4][15].png",
        "testing/NoDifetto/bam5_Img2_A80_S5_[4][16].png",
    ]
    touch(tmp_path, *paths)
    indexed = rows(tmp_path, good_class="no_defect")
    assert [indexed[path].label for path in paths] == ["lack_of_penetration", "porosity", "crack", "no_defect"]
    assert [indexed[path].source_split for path in paths] == ["training", "validation", "testing", "testing"]
    assert [indexed[path].session for path in paths] == ["RRT-13R_Img1", "RRT-13R_Img1", "bam5_Img2", "bam5_Img2"]


def test_name_that_tells_no_class_of_the_set_is_a_row_with_a_reason(tmp_path):
    touch(tmp_path, "nd_01.png", "xx_01.png")
    row = rows(tmp_path, layout="riawelc", good_class="no_defect")["xx_01.png"]
    assert (row.label, row.problem.split(":")[0]) == (None, "unknown_class")


@pytest.mark.parametrize(
    ("path", "label", "split"),
    [
        ("Cr_1.bmp", "crazing", None),
        ("PS_300.bmp", "pitted_surface", None),
        ("rolled-in_scale_12.jpg", "rolled_in_scale", None),
        ("NEU-CLS/Patches/Pa_7.bmp", "patches", None),
        ("train/images/scratches/scratches_1.jpg", "scratches", "train"),
        ("validation/images/inclusion_9.jpg", "inclusion", "validation"),
    ],
)
def test_neu_classes_are_told_by_folder_or_name_and_none_is_good(tmp_path, path, label, split):
    touch(tmp_path, path, f"{path.rpartition('/')[0] or '.'}/Sc_1.bmp")
    row = rows(tmp_path, good_class=None)[path]
    assert (row.label, row.source, row.source_split, row.problem) == (label, "neu", split, None)


def test_names_that_fit_riawelc_and_neu_are_told(tmp_path):
    touch(tmp_path, "cr_01.png", "cr_02.png")
    with pytest.raises(WeldError, match=r"set index\.layout to riawelc or neu"):
        rows(tmp_path)


def test_folders_of_classes_go_before_names(tmp_path):
    touch(tmp_path, "good/in_1.png", "bad/in_2.png")
    assert {row.label for row in rows(tmp_path, good_class="good").values()} == {"good", "bad"}


def test_csv_of_labels_serves_images_too(tmp_path):
    touch(tmp_path, "a.png", "b.png", "c.png", "film.avi")
    (tmp_path / "labels.csv").write_text("path,label,session\na.png,good,s1\nb.png,crack,s1\n")
    indexed = rows(tmp_path, good_class="good")
    assert (indexed["b.png"].label, indexed["b.png"].session, indexed["b.png"].problem) == ("crack", "s1", None)
    assert indexed["c.png"].problem.startswith("unlisted: the csv of labels does not name it")
    assert set(indexed) == {"a.png", "b.png", "c.png"}


def test_csv_that_is_not_there_is_told(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(WeldError, match=r"csv of labels 'labels\.csv' is not in .*; set index\.labels_file"):
        rows(tmp_path, layout="labels_csv")


def test_bad_session_pattern_is_told(tmp_path):
    touch(tmp_path, "good/a.png")
    with pytest.raises(WeldError, match=r"index\.session_pattern '\(' is no regular expression"):
        rows(tmp_path, session_pattern="(")


def test_real_radiographs_are_ten_of_each_class(real_data):
    indexed = index_images(real_data / "riawelc", ImageReading(good_class="no_defect"))
    labels = [row.label for row in indexed]
    assert {label: labels.count(label) for label in labels} == dict.fromkeys(
        ("crack", "lack_of_penetration", "no_defect", "porosity"), 10
    )
    assert not [row.problem for row in indexed if row.problem]
