import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.text_tables import read_text_table


def read(folder, content):
    (folder / "some.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text_table(folder / "some.csv")


def test_cells_are_text_without_blanks_and_rows_know_their_lines(tmp_path):
    table = read(tmp_path, 'path, label ,note\n\n a.png , "Good, thin"\n"b.png","two\nlines",007\n')
    assert table.to_dict("index") == {
        3: {"path": "a.png", "label": "Good, thin", "note": ""},
        5: {"path": "b.png", "label": "two\nlines", "note": "007"},
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_the_one_of_the_header(tmp_path, delimiter):
    table = read(tmp_path, f"path{delimiter}label\na.png{delimiter}x\n")
    assert table.loc[2].tolist() == ["a.png", "x"]


def test_column_without_a_name_is_kept(tmp_path):
    assert list(read(tmp_path, ",path,\n0,a.png,\n").columns) == ["column 1", "path", "column 3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n1,2,\n", "line 2 has 3 cells, the header 2"),
        ("a,b,a\n1,2,3\n", "has the column 'a' twice"),
        ('a,b\n"open,2\n1,2\n', r"cannot be read as csv"),
        ("a,b\nß,2\n".encode("latin-1"), "cannot be read as csv"),
        ("a,b\n1,2\n".encode("utf-16-le"), "cannot be read as csv"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(tmp_path, content, message):
    with pytest.raises(WeldError, match=message):
        read(tmp_path, content)
