"""Anyone's predictions, and the command that judges them."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from weld_pipeline.cli import app
from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.external_predictions import DATE, check_ids, good_classes, read_csv, sessions_of

COLUMNS = {"id_column": "Video", "label_column": "True", "predicted_column": "Said"}
OPTIONS = ["--id", "Video", "--label", "True", "--predicted", "Said"]


@pytest.fixture
def csv(tmp_path):
    """24 predictions over 6 dates, of which 20 are right."""
    rows = []
    for day in range(1, 7):
        for number, label in enumerate(("Good", "Pore", "Crack", "Good")):
            predicted = "Pore" if (label, day % 2) == ("Crack", 0) else "Good" if (label, day) == ("Pore", 1) else label
            rows.append(f"09-0{day}-22-{number:04d}-00.avi,{label},{predicted}")
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(["Video,True,Said", *rows]) + "\n")
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_json_is_all_that_stands_on_stdout(csv) -> None:
    done = run(csv, *OPTIONS, "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["n"], found["n_sessions"]) == (0, 24, 6)
    assert found["accuracy"] == pytest.approx(20 / 24)
    assert found["defect_recall"] == pytest.approx(11 / 12)
    assert found["good_specificity"] == 1.0
    assert found["per_class_recall"] == {"Crack": 0.5, "Good": 1.0, "Pore": pytest.approx(5 / 6)}
    assert found["session_rule"].startswith("date at the start of the id")


def test_tables_are_printed_for_people(csv) -> None:
    done = run(csv, *OPTIONS)
    assert done.exit_code == 0
    for words in ("24 samples, 6 sessions", "Good-weld specificity", "Crack", "session", "n is too small for Pore"):
        assert words in " ".join(done.stdout.split())


def test_html_is_the_same_report(csv, tmp_path) -> None:
    assert run(csv, *OPTIONS, "--html", tmp_path / "out/report.html").exit_code == 0
    page = (tmp_path / "out/report.html").read_text()
    assert "Good-weld specificity" in page
    assert "predictions.csv" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--id", "Film"], "has no column 'Film'; its columns are ['Video', 'True', 'Said']"),
        (["--good", "OK"], "good class 'OK' does not occur; the classes are ['Crack', 'Good', 'Pore']"),
        (["--session", "("], "session pattern '(' is no regular expression"),
        (["--session", "^xx"], "finds nothing in 24 of 24 ids, e.g. '09-01-22-0000-00.avi'"),
        (["--session", "-0003-"], "finds nothing in 18 of 24 ids"),
    ],
)
def test_mistake_is_one_line_that_names_it(csv, arguments, message) -> None:
    done = run(csv, *OPTIONS, *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("", "is empty"),
        ("Video,True,Said\n", "has a header but no rows"),
        ("Video,True,Said\na,Good,Good\nb,,Good\n", "column 'True' is empty in 1 row\\(s\\), first in line 3"),
        ('Video,True,Said\n"a,Good\n', "cannot be read as csv"),
        ("Video,True,Said\na,Good,Good,extra,more\nb,Good,Good\n", "line 2 has 5 cells, the header 3"),
        ("Video,True,Said\na,Good,Good\n\nb,Good, \n", "column 'Said' is empty in 1 row\\(s\\), first in line 4"),
        ("Video,True,Said\na,Good,nan\n", "column 'Said' is empty"),
    ],
)
def test_file_that_cannot_be_judged_says_why(tmp_path, content, message) -> None:
    path = tmp_path / "some.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WeldError, match=message):
        read_csv(path, **COLUMNS)


def test_binary_file_is_refused(tmp_path) -> None:
    (tmp_path / "some.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(WeldError, match="cannot be read as csv"):
        read_csv(tmp_path / "some.csv", **COLUMNS)


def test_ids_and_labels_stay_text(tmp_path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("Video,True,Said\n007,0,1\nNA,None,none\n")
    table = read_csv(path, **COLUMNS)
    assert table["sample_id"].tolist() == ["007", "NA"]
    assert table["label"].tolist() == ["0", "None"]


def ids(*names, predicted="Good"):
    table = pd.DataFrame({"sample_id": names, "label": "Good", "predicted": "Good"}, index=range(2, len(names) + 2))
    table.loc[len(names) + 1, "predicted"] = predicted
    return table


def test_id_that_stands_twice_stops_unless_few_do_and_nothing_differs() -> None:
    many = [str(number) for number in range(200)]
    assert check_ids(ids(*many)) == []
    (sentence,) = check_ids(ids(*many, "7"))
    assert sentence.startswith("1 row(s) repeat an id with the same classes and count as samples of their own")
    assert sentence.endswith("id '7' stands in the lines 9 and 202.")
    with pytest.raises(WeldError, match="id '7' stands in the lines 9 and 202 with different classes"):
        check_ids(ids(*many, "7", predicted="Pore"))
    with pytest.raises(WeldError, match="id 'a' stands in the lines 2 and 3, and 2 of 4 rows repeat an id"):
        check_ids(ids("a", "a", "b", "b"))


def test_session_is_the_first_group_or_the_whole_match(csv) -> None:
    table = read_csv(csv, **COLUMNS)
    assert sessions_of(table, r"^(\d\d)-(\d\d)")[0][:1] == ["09"]
    assert sessions_of(table, r"^\d\d-\d\d")[0][:1] == ["09-01"]


def test_session_column_goes_before_the_date(csv) -> None:
    table = read_csv(csv, **COLUMNS).assign(session=range(24))
    assert sessions_of(table, None) == ([str(number) for number in range(24)], "column session")


def test_empty_cell_of_the_session_column_stops_and_names_the_row(csv) -> None:
    table = read_csv(csv, **COLUMNS).assign(session=["s"] * 20 + [""] * 4)
    with pytest.raises(
        WeldError, match=r"column 'session' is empty in 4 row\(s\), first in line 22 \(id '09-06-22-0000"
    ):
        sessions_of(table, None)
    assert sessions_of(table, DATE)[0][-1] == "09-06-22"


@pytest.mark.parametrize("separator", [";", "\t", ", "])
def test_table_may_be_parted_by_semicolons_tabs_or_padded_commas(tmp_path, separator) -> None:
    path = tmp_path / "some.csv"
    lines = [["Video", "True", "Said"], ["a", "Good", "Pore, small" if separator != ", " else "Pore"]]
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(map(separator.join, lines)).encode())
    assert read_csv(path, **COLUMNS).loc[2].tolist() == ["a", *lines[1][1:]]


def test_columns_may_bear_each_others_usual_names(tmp_path) -> None:
    (tmp_path / "some.csv").write_text("sample_id,predicted,label\na,Good,Pore\n")
    table = read_csv(tmp_path / "some.csv", id_column="sample_id", label_column="predicted", predicted_column="label")
    assert (table.loc[2, "label"], table.loc[2, "predicted"]) == ("Good", "Pore")


def test_each_id_is_its_own_session_where_nothing_tells(csv) -> None:
    table = read_csv(csv, **COLUMNS).assign(sample_id=[f"weld {number}" for number in range(24)])
    assert sessions_of(table, None) == (table["sample_id"].tolist(), None)


def test_good_is_taken_by_name_where_it_occurs() -> None:
    assert good_classes(["Good", "Pore"], None) == ["Good"]
    assert good_classes(["good", "Pore"], None) == ["good"]
    assert good_classes(["ok", "Pore"], None) == []
    assert good_classes(["ok", "Pore"], "ok") == ["ok"]


def test_reference_predictions_give_the_reference_numbers(real_data) -> None:
    columns = ["--id", "Video", "--label", "True_Label", "--predicted", "Predicted_Label"]
    done = run(
        real_data / "weldnet_results" / "test_predictions.csv", *columns, "--session", r"^\d\d-\d\d-\d\d", "--json"
    )
    found = json.loads(done.stdout)
    # REFERENCES §1.
    assert (found["n"], found["n_sessions"]) == (1732, 69)
    assert found["accuracy"] == pytest.approx(0.8741, abs=5e-5)
    assert found["macro_f1"] == pytest.approx(0.862, abs=5e-4)
    assert found["balanced_accuracy"] == pytest.approx(0.863, abs=5e-4)
    assert found["defect_recall"] == pytest.approx(0.971, abs=5e-4)
    assert found["good_specificity"] == pytest.approx(0.686, abs=5e-4)
    assert found["intervals"]["accuracy"] == pytest.approx([0.825, 0.917], abs=0.006)
    assert 0.84 <= found["session_baseline"]["accuracy"] <= 0.85
