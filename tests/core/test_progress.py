"""Progress bar: drawn on a terminal, and nowhere else."""

import io

import pytest

from weld_pipeline.core.progress import track


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "is_drawn"), [(Terminal(), True), (io.StringIO(), False)])
def test_values_come_through_and_a_terminal_shows_them(stream, is_drawn, monkeypatch):
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    assert list(track(iter("abc"), label="reading", total=3)) == ["a", "b", "c"]
    assert ("reading" in stream.getvalue()) == is_drawn
