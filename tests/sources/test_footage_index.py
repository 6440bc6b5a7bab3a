import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.footage_index import Reading, index_source

COLUMNS = "CATEGORY,WELD_TYPE,THICKNESS_MM,STEEL_TYPE,SAMPLES,CURRENT_A,VOLTAGE_V,GAS_BAR,ROBOT_SPEED_CPM,DIRECTORY,SUBDIRS,SPLIT"


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"video")


def rows(root, **reading):
    return {row.sample_id: row for row in index_source(root, Reading(**reading))}


def write_manifest(root, *lines):
    root.mkdir(exist_ok=True)
    (root / "manifest.csv").write_text("\n".join([COLUMNS, *lines]) + "\n")


def line(category, subdirs, *, speed="30", split="TRAIN"):
    return f"{category},FILLET,7,FE410,19,165,21.0,4.5,{speed},{subdirs.rpartition('/')[0]},{subdirs},{split}"


def test_run_folders_tell_class_date_and_configuration(tmp_path):
    touch(tmp_path, "overlap_1/03-22-23-0001-06/03-22-23-0001-06.avi")
    row = rows(tmp_path)["overlap_1/03-22-23-0001-06"]
    assert (row.label, row.session, row.config, row.run_id) == (
        "Overlap",
        "2023-03-22",
        "overlap_1",
        "03-22-23-0001-06",
    )
    assert row.problem is None


@pytest.mark.parametrize(
    ("code", "label"),
    [("00", "Good"), ("02", "Burnthrough"), ("04", "Porosity_w_Excessive_Penetration"), ("11", "Crater_Cracks")],
)
def test_class_is_the_run_ids_suffix(tmp_path, code, label):
    touch(tmp_path, f"c/03-22-23-0001-{code}/03-22-23-0001-{code}.avi")
    assert rows(tmp_path)[f"c/03-22-23-0001-{code}"].label == label


def test_suffix_outside_the_twelve_is_an_unknown_class(tmp_path):
    touch(tmp_path, "c/03-22-23-0001-12/03-22-23-0001-12.avi")
    assert rows(tmp_path)["c/03-22-23-0001-12"].problem.startswith("unknown_class: run id 03-22-23-0001-12")


def test_impossible_date_is_no_session(tmp_path):
    touch(tmp_path, "c/13-45-22-0001-00/13-45-22-0001-00.avi")
    assert rows(tmp_path)["c/13-45-22-0001-00"].session is None


def test_one_run_id_in_two_configurations_is_two_samples(tmp_path):
    touch(tmp_path, "fe/03-22-23-0001-06/03-22-23-0001-06.avi", "bsk/03-22-23-0001-06/03-22-23-0001-06.avi")
    assert set(rows(tmp_path)) == {"fe/03-22-23-0001-06", "bsk/03-22-23-0001-06"}


def test_run_without_its_video_is_a_row_with_a_reason(tmp_path):
    touch(tmp_path, "c/03-22-23-0001-06/03-22-23-0001-06.csv")
    assert rows(tmp_path)["c/03-22-23-0001-06"].problem.startswith("missing: there is no video 03-22-23-0001-06.avi")


def test_video_outside_a_run_folder_is_a_row_with_a_reason(tmp_path):
    touch(tmp_path, "c/03-22-23-0001-06/03-22-23-0001-06.avi", "c/03-22-23-0001-06/again.avi", "stray.mp4")
    indexed = rows(tmp_path)
    assert indexed["stray.mp4"].problem.startswith("unlisted: ")
    assert indexed["c/03-22-23-0001-06/again.avi"].problem.startswith("unlisted: ")


def test_manifest_gives_speed_split_and_configuration(tmp_path):
    touch(tmp_path, "fe/03-22-23-0001-06/03-22-23-0001-06.avi")
    write_manifest(tmp_path, line("Overlap", "fe/03-22-23-0001-06", speed="30", split="VAL"))
    row = rows(tmp_path)["fe/03-22-23-0001-06"]
    assert row.travel_mm_s == pytest.approx(5.0)  # 30 cm/min = 300 mm / 60 s
    assert (row.source_split, row.config, row.problem) == ("VAL", "fe", None)


def test_rows_of_the_manifest_and_runs_on_disk_are_all_there(tmp_path):
    touch(tmp_path, "a/03-22-23-0001-06/03-22-23-0001-06.avi", "b/03-22-23-0002-06/03-22-23-0002-06.avi")
    write_manifest(tmp_path, line("Overlap", "a/03-22-23-0001-06"), line("Overlap", "gone/03-22-23-0009-06"))
    problems = {sample_id: row.problem for sample_id, row in rows(tmp_path).items()}
    assert problems["a/03-22-23-0001-06"] is None
    assert problems["gone/03-22-23-0009-06"].startswith("missing: there is no folder gone/03-22-23-0009-06")
    assert problems["b/03-22-23-0002-06"].startswith("unlisted: manifest.csv does not name it")
    assert len(problems) == 3


@pytest.mark.parametrize(
    ("category", "reason"),
    [
        ("Weld", "unknown_class: CATEGORY 'Weld'"),
        ("Good", "label_conflict: CATEGORY says Good, the run id says Overlap"),
    ],
)
def test_category_that_cannot_be_right_is_told(tmp_path, category, reason):
    touch(tmp_path, "a/03-22-23-0001-06/03-22-23-0001-06.avi")
    write_manifest(tmp_path, line(category, "a/03-22-23-0001-06"))
    assert rows(tmp_path)["a/03-22-23-0001-06"].problem.startswith(reason)


@pytest.mark.parametrize(
    ("category", "aliases"), [("overlap", {}), (" OVERLAP ", {}), ("Cold lap", {"Cold lap": "Overlap"})]
)
def test_other_spellings_of_a_class_are_known(tmp_path, category, aliases):
    touch(tmp_path, "a/03-22-23-0001-06/03-22-23-0001-06.avi")
    write_manifest(tmp_path, line(category, "a/03-22-23-0001-06"))
    row = rows(tmp_path, class_aliases=aliases)["a/03-22-23-0001-06"]
    assert (row.label, row.problem) == ("Overlap", None)


@pytest.mark.parametrize("path", ["../outside/03-22-23-0001-06", "/etc/03-22-23-0001-06", "C:\\03-22-23-0001-06", ""])
def test_path_that_leaves_the_footage_folder_is_refused(tmp_path, path):
    touch(tmp_path, "outside/03-22-23-0001-06/03-22-23-0001-06.avi")
    write_manifest(tmp_path / "root", line("Overlap", path))
    row = rows(tmp_path / "root")["manifest.csv:2"]
    assert row.problem.startswith("unsafe_path: ")


def test_link_that_leaves_the_footage_folder_is_refused(tmp_path):
    touch(tmp_path, "outside/a.avi", "outside/03-22-23-0002-06/03-22-23-0002-06.avi")
    run = tmp_path / "root/c/03-22-23-0001-06"
    run.mkdir(parents=True)
    (run / "03-22-23-0001-06.avi").symlink_to(tmp_path / "outside/a.avi")
    (tmp_path / "root/c/03-22-23-0002-06").symlink_to(tmp_path / "outside/03-22-23-0002-06")
    indexed = rows(tmp_path / "root")
    assert indexed["c/03-22-23-0001-06"].problem.startswith("unsafe_path: the file is a link")
    assert indexed["c/03-22-23-0002-06"].problem.startswith("unsafe_path: is a link to another folder")


def test_row_given_twice_is_kept_once(tmp_path):
    touch(tmp_path, "a/03-22-23-0001-06/03-22-23-0001-06.avi")
    write_manifest(tmp_path, line("Overlap", "a/03-22-23-0001-06"), line("Overlap", "a/03-22-23-0001-06"))
    indexed = rows(tmp_path)
    assert indexed["a/03-22-23-0001-06"].problem is None
    assert indexed["a/03-22-23-0001-06#2"].problem.startswith("duplicate: ")


@pytest.mark.parametrize("speed", ["fast", "0", "-3", "nan"])
def test_speed_that_is_none_is_told(tmp_path, speed):
    touch(tmp_path, "a/03-22-23-0001-06/03-22-23-0001-06.avi")
    write_manifest(tmp_path, line("Overlap", "a/03-22-23-0001-06", speed=speed))
    assert rows(tmp_path)["a/03-22-23-0001-06"].problem.startswith(f"bad_value: ROBOT_SPEED_CPM '{speed}'")


def test_manifest_without_its_columns_is_refused(tmp_path):
    (tmp_path / "manifest.csv").write_text("CATEGORY,DIRECTORY\nGood,a\n")
    with pytest.raises(WeldError, match=r"manifest\.csv: column SUBDIRS is missing \(found CATEGORY, DIRECTORY\)"):
        rows(tmp_path)


@pytest.mark.parametrize("content", [b"", b'a,b\n"open\n', b"\xff\xfe\x00\x01,b\n"])
def test_manifest_that_is_no_csv_is_refused(tmp_path, content):
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(WeldError, match=r"manifest\.csv(: cannot be read as csv|: column| is empty)"):
        rows(tmp_path)


def test_manifest_deeper_down_is_pointed_at(tmp_path):
    write_manifest(tmp_path / "raid", line("Overlap", "a/03-22-23-0001-06"))
    with pytest.raises(WeldError, match="lies deeper; name its folder"):
        rows(tmp_path)


def test_folder_names_are_classes(tmp_path):
    touch(tmp_path, "good/a.avi", "good/day1/b.mp4", "spatter/a.avi", "loose.avi", "good/notes.txt")
    indexed = rows(tmp_path)
    assert {sample_id: row.label for sample_id, row in indexed.items()} == {
        "good/a.avi": "Good",
        "good/day1/b.mp4": "Good",
        "spatter/a.avi": "spatter",
        "loose.avi": None,
    }
    assert indexed["loose.avi"].problem.startswith("unknown_class: lies in no class folder")


def test_file_of_unknown_kind_in_a_class_folder_is_tried(tmp_path):
    touch(tmp_path, "Good/a.dat")
    assert rows(tmp_path)["Good/a.dat"].problem is None


def test_each_plain_file_is_its_own_session_unless_a_pattern_says_otherwise(tmp_path):
    touch(tmp_path, "Good/run7_a.avi", "Good/run7_b.avi", "Good/odd.avi")
    assert rows(tmp_path)["Good/run7_a.avi"].session == "Good/run7_a.avi"
    indexed = rows(tmp_path, session_pattern=r"run(\d+)_")
    assert [indexed[f"Good/{name}.avi"].session for name in ("run7_a", "run7_b", "odd")] == ["7", "7", None]


def test_pattern_that_is_no_regular_expression_is_refused(tmp_path):
    touch(tmp_path, "Good/a.avi")
    with pytest.raises(WeldError, match=r"session_pattern 'run\(' is no regular expression"):
        rows(tmp_path, session_pattern="run(")


def test_without_a_good_class_every_weld_would_be_a_defect(tmp_path):
    touch(tmp_path, "fine/a.avi", "spatter/a.avi")
    with pytest.raises(WeldError, match=r"no class is called 'Good'.*one of fine, spatter"):
        rows(tmp_path)
    assert rows(tmp_path, good_class="fine")["fine/a.avi"].label == "fine"


def test_class_that_is_not_allowed_is_unknown(tmp_path):
    touch(tmp_path, "Good/a.avi", "misc/a.avi")
    indexed = rows(tmp_path, classes=("Good", "Spatter"))
    assert indexed["misc/a.avi"].problem.startswith(
        "unknown_class: 'misc' is none of the classes allowed (Good, Spatter)"
    )
    assert indexed["Good/a.avi"].problem is None


def test_csv_of_labels_gives_class_session_configuration_and_speed(tmp_path):
    touch(tmp_path, "x/a.avi", "b.avi", "c.avi")
    (tmp_path / "labels.csv").write_text(
        "path,label,session,config,split,travel_mm_s\nx/a.avi,Good,s1,thin,train,5\nb.avi,,s1,thin,,\nd.avi,Good,s2,,,\n"
    )
    indexed = rows(tmp_path)
    a = indexed["x/a.avi"]
    assert (a.label, a.session, a.config, a.source_split, a.travel_mm_s) == ("Good", "s1", "thin", "train", 5.0)
    assert indexed["b.avi"].problem.startswith("unknown_class: line 3")
    assert indexed["d.avi"].problem.startswith("missing: there is no file d.avi")
    assert indexed["c.avi"].problem.startswith("unlisted: ")


def test_csv_of_labels_cannot_name_files_outside(tmp_path):
    touch(tmp_path, "secret.avi", "root/a.avi")
    (tmp_path / "root/labels.csv").write_text("path,label\n../secret.avi,Good\na.avi,Good\n")
    assert rows(tmp_path / "root")["labels:2"].problem.startswith("unsafe_path: path '../secret.avi' in line 2")


def test_path_with_two_labels_stops_and_names_both_lines(tmp_path):
    touch(tmp_path, "a.avi", "b.avi")
    (tmp_path / "labels.csv").write_text("path,label\na.avi,Good\nb.avi,Good\n\n./a.avi,Pore\n")
    with pytest.raises(WeldError, match=r"a\.avi is 'Good' in line 2 and 'Pore' in line 5; keep the true one"):
        rows(tmp_path)
    (tmp_path / "labels.csv").write_text("path,label\na.avi,Good\nb.avi,Good\na.avi,good\n")
    assert rows(tmp_path)["a.avi#2"].problem.startswith("duplicate: ")


def test_comma_too_many_stops_and_names_the_line(tmp_path):
    touch(tmp_path, "a.avi")
    (tmp_path / "labels.csv").write_text("path,label\nb.avi,Good\na.avi,Good,\n")
    with pytest.raises(WeldError, match=r"labels\.csv: line 3 has 3 cells, the header 2, so columns may be shifted"):
        rows(tmp_path)


def test_csv_of_labels_may_have_semicolons_and_short_lines(tmp_path):
    touch(tmp_path, "a.avi", "b.avi")
    (tmp_path / "labels.csv").write_text("path;label;config\na.avi;Good, thin\nb.avi;Good;thick\n")
    indexed = rows(tmp_path, good_class="Good")
    assert (indexed["a.avi"].label, indexed["a.avi"].config, indexed["b.avi"].config) == ("Good, thin", None, "thick")


def test_empty_cell_of_a_session_column_is_no_session(tmp_path):
    touch(tmp_path, "d1/a.avi", "d2/b.avi")
    (tmp_path / "labels.csv").write_text("path,label,session\nd1/a.avi,Good,s1\nd2/b.avi,Good,\n")
    assert rows(tmp_path)["d2/b.avi"].session is None
    assert rows(tmp_path, session_pattern=r"^(d\d)")["d2/b.avi"].session == "d2"


def test_csv_of_labels_without_its_columns_is_refused(tmp_path):
    touch(tmp_path, "a.avi")
    (tmp_path / "labels.csv").write_text("file,label\na.avi,Good\n")
    with pytest.raises(WeldError, match=r"column path is missing \(found file, label\)"):
        rows(tmp_path)


def test_labels_file_that_is_not_there_is_told(tmp_path):
    touch(tmp_path, "a.avi")
    with pytest.raises(WeldError, match=r"csv of labels 'classes\.csv' is not in"):
        rows(tmp_path, layout="labels_csv", labels_file="classes.csv")


def test_folder_without_footage_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(WeldError, match="no video found"):
        rows(tmp_path)


def test_drawn_files_are_told_from_recordings(tmp_path):
    touch(tmp_path, "Good/a.avi", "Good/b.avi")
    (tmp_path / "DRAWN.json").write_text('{"is_finished": true, "files": {"Good/a.avi": "key"}}')
    indexed = rows(tmp_path)
    assert (indexed["Good/a.avi"].source, indexed["Good/b.avi"].source) == ("drawn", "folders")


def test_real_tree_has_sixteen_runs_and_one_video(real_data):
    indexed = index_source(real_data / "intel_robotic_welding", Reading())
    assert len(indexed) == 16
    assert [row.sample_id for row in indexed if not row.problem] == ["overlap_1_03-22-23_BSK46/03-22-23-0001-06"]


def test_real_manifest_rows_are_read(real_data, tmp_path):
    table = pd.read_csv(real_data / "weldnet_results/df_subset.csv", dtype=str)
    table.to_csv(tmp_path / "manifest.csv", index=False)
    indexed = index_source(tmp_path, Reading())
    assert [row.label for row in indexed] == ["Good"] * 7
    assert indexed[0].travel_mm_s == pytest.approx(25 * 10 / 60)
    assert all(row.problem.startswith("missing: there is no folder") for row in indexed)


def test_real_listing_is_indexed_whole_and_nothing_is_usable(real_data):
    indexed = index_source(real_data / "weldnet_results/dataset_structure.txt", Reading())
    assert len({row.sample_id for row in indexed}) == len(indexed) == 4040
    assert len({row.run_id for row in indexed}) == 4020  # 20 overlap runs bear the same id in either steel
    assert {row.problem.split(":")[0] for row in indexed} == {"missing"}
    assert len({row.session for row in indexed}) == 72
    assert sum(row.label == "Good" for row in indexed) == 819
