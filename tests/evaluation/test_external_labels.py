"""Spellings of one class in tables of other tools."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from weld_pipeline.cli import app
from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.external_labels import label_key, one_spelling

TRUE = [number % 2 for number in range(40)]
SAID = [true if number % 5 else 1 - true for number, true in enumerate(TRUE)]  # 32 of 40 are right


def table(true, predicted):
    return pd.DataFrame({"label": true, "predicted": predicted}, index=range(2, len(true) + 2), dtype=str)


@pytest.mark.parametrize(
    ("separator", "true", "said"),
    [
        (",", str, str),
        (",", str, lambda value: f"{value:.1f}"),
        (",", lambda value: f"{value:.1f}", lambda value: f"{value:e}"),
        (";", lambda value: ("crack", "good")[value], lambda value: ("crack", "good")[value]),
        ("\t", lambda value: ("Crack", "Good")[value], lambda value: ("crack", "good")[value]),
        (", ", lambda value: ("crack", "good")[value], lambda value: ("crack ", "good ")[value]),
        (",", lambda value: ("burn-through", "no_defect")[value], lambda value: ("Burn through", "No defect")[value]),
        (",", lambda value: str(bool(value)), lambda value: str(bool(value)).lower()),
    ],
)
def test_accuracy_does_not_depend_on_how_classes_are_written(tmp_path, separator, true, said) -> None:
    rows = [
        f"p{n:03d}{separator}{true(a)}{separator}{said(b)}" for n, (a, b) in enumerate(zip(TRUE, SAID, strict=True))
    ]
    (tmp_path / "some.csv").write_text("\n".join([separator.join(["sample_id", "label", "predicted"]), *rows]))
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path / "some.csv"), "--json", "--n-resamples", "100"])
    found = json.loads(done.stdout)
    assert found["accuracy"] == pytest.approx(0.8)
    assert set(found["n_per_class"]) == {true(0), true(1)}


def test_what_was_joined_is_said_and_keeps_the_true_spelling() -> None:
    found, sentences = one_spelling(table(["1", "0"], ["1.0", "0"]))
    assert found["predicted"].tolist() == ["1", "0"]
    assert sentences == ["Spellings taken for one class (letter case, blanks, _ or -, 1.0 for 1): '1.0' counts as '1'."]
    assert one_spelling(table(["1", "0"], ["1", "0"]))[1] == []


def test_true_labels_that_differ_only_in_spelling_stop_and_are_named() -> None:
    with pytest.raises(WeldError, match=r"true classes 'Good' \(line 2\) and 'good' \(line 4\) differ only in how"):
        one_spelling(table(["Good", "Pore", "good"], ["Good", "Pore", "Pore"]))


def test_columns_without_a_common_class_stop() -> None:
    with pytest.raises(WeldError, match=r"share no class: true are 'crack', 'good', predicted '0', '1'"):
        one_spelling(table(["good", "crack"], ["0", "1"]))


def test_column_of_scores_is_refused_before_anything_is_counted() -> None:
    true = ["0", "1"] * 2000
    with pytest.raises(
        WeldError, match=r"column of --predicted holds 4000 different values, e\.g\. '0\.00012', .*: it looks"
    ):
        one_spelling(table(true, [f"{(n + 0.5) / 4096:.5f}" for n in range(4000)]))
    with pytest.raises(WeldError, match="it looks like scores or names"):
        one_spelling(table(["0", "1"], ["0.12", "0.93"]))
    with pytest.raises(WeldError, match=r"--label holds 4000 different values"):
        one_spelling(table([f"weld_{n}" for n in range(4000)], true))


@pytest.mark.parametrize(
    ("one", "other"), [("0", "-0.0"), ("1", "1,00"), ("1", "+1"), (".5", "0.50"), ("L\u00f6cher", "lo\u0308cher")]
)
def test_other_ways_to_write_a_class_are_one(one, other) -> None:
    assert label_key(one) == label_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1,5"),
        ("1000", "1,000"),
        ("1" * 30, "1" * 29 + "2"),
        ("1", "1.5"),
        ("1", "-1"),
        ("v1", "v1.0"),
        ("nok", "ok"),
        ("1e999", "1"),
    ],
)
def test_other_labels_stay_apart(one, other) -> None:
    assert label_key(one) != label_key(other)
