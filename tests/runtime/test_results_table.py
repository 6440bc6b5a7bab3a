"""Tables for people: the same core for every family."""

import io

import pytest
from rich.console import Console

from weld_pipeline.runtime import open_inspector


@pytest.fixture
def shown():
    """Return what a terminal shows of the verdicts on files, line by line."""

    def show(folder, *paths):
        inspector = open_inspector(folder)
        terminal = io.StringIO()
        Console(file=terminal, width=250).print(inspector.table(inspector.inspect_each(paths)))
        return [line.rstrip() for line in terminal.getvalue().splitlines()]

    return show


def row_of(lines, text):
    """Return the cells of the row that begins with a text."""
    (row,) = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith(f"│ {text}")]
    return row


def test_row_of_an_image_has_class_and_probabilities(shown, image_folder, write_red):
    path = write_red(204, "b.png")
    lines = shown(image_folder, path)
    assert row_of(lines, path)[1:] == ["FAIL", "porosity", "0.95", "0.80"]
    assert lines[0] == "! made by a test"


def test_row_of_an_anomaly_has_score_and_place(shown, detector_folder, write_blue):
    path = write_blue([[200]], "b.png")
    assert row_of(shown(detector_folder, path), path)[1:] == [
        *("FAIL", "anomalous", "1.00", "200", "row 0, column 0: 8 × 8 px"),
    ]


def test_row_of_a_video_has_timeline_and_worst_stretch(shown, bundle_folder, write_video):
    path = write_video([51] * 4 + [255] * 4)
    lines = shown(bundle_folder, path)
    assert row_of(lines, path)[1:] == ["FAIL", "porosity", "0.73", "███", "0.2 to 0.8 s"]
    assert "█ good_weld █ porosity" in lines


def test_video_that_shows_no_arc_has_no_class(shown, bundle_folder, write_video):
    path = write_video([None] * 8)
    assert row_of(shown(bundle_folder, path), path)[1:] == ["NO ARC", "", "", "", ""]


def test_input_without_a_verdict_is_told_with_its_reason_and_counted(shown, image_folder, write_red, tmp_path):
    lines = shown(image_folder, write_red(51, "a.png"), write_red(204, "b.png"), tmp_path / "gone.png")
    assert row_of(lines, tmp_path / "gone.png")[1] == "NOT INSPECTED"
    assert any("no such file" in line for line in lines)
    assert "1 pass, 1 fail, 1 not inspected" in lines
    assert lines[-1].startswith("fail from p_defect 0.50")
