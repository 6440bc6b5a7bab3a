"""Pages of everything that was drawn and counted."""

import numpy as np
import pandas as pd

from weld_pipeline.report.overview import overview_page

IMAGE = np.full((20, 1500, 3), 128, dtype=np.uint8)


def test_what_was_drawn_comes_before_what_was_counted() -> None:
    page = overview_page(
        "Model", {"counts": {"n": 1}, "report": "<p>whole</p>", "table": pd.DataFrame({"a": [1]}), "sheet": IMAGE}
    )
    places = [page.index(title) for title in (">Sheet<", ">Table<", ">Counts<", ">Report<")]
    assert places == sorted(places)
    assert 'alt="Sheet" src="data:image/jpeg;base64,' in page


def test_long_table_says_what_it_leaves_out() -> None:
    page = overview_page("Model", {"rows": pd.DataFrame({"a": range(1234)})})
    assert "30 of 1,234 rows" in page
    assert "<td>29</td>" in page
    assert "<td>30</td>" not in page


def test_headlines_name_their_interval_and_how_few_there_are() -> None:
    rate = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 4, "n_sessions": 2, "is_small": True}
    page = overview_page("Model", {"evaluation": {"rates": {"accuracy": rate}}, "banners": ["DRAWN <b>"]})
    assert "50.0 %" in page
    assert "25.0 to 75.0, n 4 of 2 session(s), too few to rely on" in page
    assert "DRAWN &lt;b&gt;" in page


def test_pages_are_open_where_nothing_else_is_shown() -> None:
    assert overview_page("Family", {"one": "<p>1</p>", "two": "<p>2</p>"}).count("<details open>") == 2
    assert "<details open>" not in overview_page("Family", {"one": "<p>1</p>", "plot": IMAGE})


def test_page_within_a_page_cannot_end_its_frame() -> None:
    assert 'srcdoc="&#34;&gt;' in overview_page("Family", {"one": '"><script>'})
