"""The page: complete, self-contained, safe."""

import base64
import re

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.core.provenance import CodeRevision
from weld_pipeline.decision.policy import ClassPolicy, ProbabilityPolicy
from weld_pipeline.evaluation.estimates import Protocol
from weld_pipeline.evaluation.evaluation import evaluate
from weld_pipeline.report.banners import weights_banner
from weld_pipeline.report.family_page import family_report
from weld_pipeline.report.figures import as_svg, confusion_figure
from weld_pipeline.report.page import foreign_report

POLICY = ProbabilityPolicy(kind="p_defect", threshold=0.5)


def predictions(labels=("Good", "Pore", "Crack"), n=60):
    label = np.array([labels[row % len(labels)] for row in range(n)])
    predicted = np.where(np.arange(n) % 7 == 0, labels[0], label)
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "label": label,
            "predicted": predicted,
            "session": (np.arange(n) // 6).astype(str),
            "is_defect": label != labels[0],
            "score": rng.normal(size=n),
            "p_defect": rng.random(n),
        }
    )


def page(**changes):
    rows = predictions()
    mistakes = pd.DataFrame(
        {
            "sample_id": ["run/1", "run/2"],
            "label": ["Pore", "Crack"],
            "predicted": ["Good", "Good"],
            "kind": ["escaped", "escaped"],
            "sureness": [0.93, np.nan],
        }
    )
    arguments = {
        "family": "video_classifier",
        "split": "test",
        "rows": rows,
        "mistakes": mistakes,
        "sheet": np.zeros((20, 30, 3), dtype=np.uint8),
        "banners": ["LEAKAGE ALLOWED: session 3 stands in train and test."],
        "curves": {"autoencoder": {"train_loss": [1.0, 0.5], "valid_loss": [1.2, 0.9]}},
        "policy": POLICY,
        "revision": CodeRevision("abc123", True, "0.1.0"),
        "data_sha256": "f00d",
        "weights": {"name": "r3d_18.kinetics400_v1", "source": "cache", "licence": "BSD-3-Clause"},
        "mlflow_run_id": None,
        "libraries": {"numpy": "2.0"},
    } | changes
    shipped = {"fails": (rows["p_defect"] >= 0.5).to_numpy(), "rule": POLICY.describe()}
    evaluation = evaluate(rows, good=["Good"], protocol=Protocol(n_resamples=200), **shipped)
    return family_report(evaluation, **arguments)


@pytest.fixture(scope="module")
def html():
    return page()


@pytest.mark.parametrize(
    "words",
    [
        "Evaluation of video classifier",
        "LEAKAGE ALLOWED: session 3 stands in train and test.",
        "Beside what can be guessed",
        "By the class said",
        "By the verdict: fail from p_defect 0.500",
        "Confusion matrix",
        "Does a stated probability come true?",
        "How the loss fell",
        "escaped, 93 % sure",
        "abc123 with uncommitted changes (weld-pipeline 0.1.0)",
        "sha256 f00d",
        "r3d_18.kinetics400_v1 from cache; BSD-3-Clause",
    ],
)
def test_report_says(html, words) -> None:
    assert words in html


def test_report_needs_nothing_from_elsewhere(html) -> None:
    assert "<script" not in html
    assert "<link" not in html
    assert "url(" not in html
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', html)
    assert sources
    assert all(source.startswith("data:image/") for source in sources)


def test_report_shows_an_image_for_each_mistake(html) -> None:
    assert html.count("data:image/jpeg;base64,") == 2


def plots(html):
    """Return the plots of a page as SVG text."""
    return [base64.b64decode(each).decode() for each in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", html)]


def test_threshold_is_drawn_where_it_decides(html) -> None:
    # Only in the plot of p_defect, whose threshold it is; a policy by the class has none to draw.
    drawn = [plot for plot in plots(html) if "threshold 0.5" in plot]
    assert ["p_defect" in plot for plot in drawn] == [True]
    by_class = plots(page(policy=ClassPolicy(kind="class", good_class="Good")))
    assert len(by_class) == len(plots(html))
    assert not any("threshold" in plot for plot in by_class)


def test_equal_input_gives_an_equal_page(html) -> None:
    assert page() == html


def test_markup_in_names_stays_text() -> None:
    rows = predictions(labels=("Good", "<script>alert(1)</script>"))
    evaluation = evaluate(rows.drop(columns="p_defect"), good=["Good"], protocol=Protocol(n_resamples=200))
    html = foreign_report(evaluation, file_name="<b>.csv", session_rule=None)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;.csv" in html


def test_report_without_mistakes_or_curves_leaves_them_out() -> None:
    html = page(mistakes=pd.DataFrame(columns=["sample_id", "label", "predicted", "kind", "sureness"]), curves={})
    assert "Worst mistakes" not in html
    assert "How the loss fell" not in html


def test_accuracy_that_a_look_up_reaches_is_called_no_proof() -> None:
    rows = pd.DataFrame({"label": np.repeat(["a", "b", "c"], 40), "session": np.repeat(np.arange(12).astype(str), 10)})
    evaluation = evaluate(rows.assign(predicted=rows["label"]), good=[], protocol=Protocol(n_resamples=200))
    html = foreign_report(evaluation, file_name="x.csv", session_rule="day")
    assert "a look-up of the session scores 100.0 %" in html
    assert "no proof that it sees the defect" in html


def test_figure_is_the_same_every_time() -> None:
    evaluation = evaluate(predictions(), good=["Good"], protocol=Protocol(n_resamples=200))
    assert as_svg(confusion_figure(evaluation)) == as_svg(confusion_figure(evaluation))


def test_random_weights_get_a_banner_and_learnt_ones_none() -> None:
    assert weights_banner({"name": "r3d_18.kinetics400_v1", "is_random": False}) == []
    assert "RANDOM WEIGHTS: r3d_18.random" in weights_banner({"name": "r3d_18.random", "is_random": True})[0]
