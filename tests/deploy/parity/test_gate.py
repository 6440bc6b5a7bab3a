"""The one gate, on comparisons whose answers are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.families import COMPARISONS
from weld_pipeline.deploy.parity.gate import SampleParity, check_parity, distance, relative
from weld_pipeline.runtime.open import INSPECTORS

TOLERANCES = {"probability": 0.1, "table_probability": 0.5}
FILES = {"a": Path("a.png"), "b": Path("b.png")}
TABLE = {"a": {"predicted": "good"}, "b": {"predicted": "crack"}}
FAITHFUL = SampleParity("a", 3, {"probability": 0.05, "table_probability": 0.0}, flips=(), table_flips=False)


def check(answers, *, files=FILES, engines=("onnxruntime",), tolerances=TOLERANCES):
    """Return what the gate says of given answers, a dictionary an engine."""
    asked = []

    def comparison(engine):
        def compare(sample_id, path, row):
            asked.append((engine, sample_id, path, row["predicted"]))
            return replace(answers.get(engine, {}).get(sample_id, FAITHFUL), sample_id=sample_id)

        return compare

    return check_parity(comparison, files, TABLE, engines=engines, tolerances=tolerances), asked


def test_every_engine_sees_every_file_beside_its_row() -> None:
    _, asked = check({}, engines=("onnxruntime", "openvino"))
    assert asked == [
        (engine, sample_id, FILES[sample_id], TABLE[sample_id]["predicted"])
        for engine in ("onnxruntime", "openvino")
        for sample_id in FILES
    ]


def test_report_is_json_with_the_largest_differences_of_each_engine() -> None:
    wider = replace(FAITHFUL, n_compared=2, differences={"probability": 0.01, "table_probability": 0.4})
    flipped = replace(FAITHFUL, table_flips=True)
    report, _ = check({"openvino": {"a": wider, "b": flipped}}, engines=("onnxruntime", "openvino"))
    assert json.loads(json.dumps(report, allow_nan=False))["engines"] == {
        "onnxruntime": {
            "n_compared": 6,
            "n_table_flips": 0,
            "max_difference": {"probability": 0.05, "table_probability": 0.0},
        },
        "openvino": {
            "n_compared": 5,
            "n_table_flips": 1,
            "max_difference": {"probability": 0.05, "table_probability": 0.4},
        },
    }
    assert (report["n_samples"], report["tolerances"]) == (2, TOLERANCES)
    assert [each["differences"] for each in report["samples"]["openvino"]] == [wider.differences, flipped.differences]


def test_difference_at_the_tolerance_passes_and_one_above_is_named() -> None:
    at = replace(FAITHFUL, differences={"probability": 0.1, "table_probability": 0.5})
    check({"onnxruntime": {"b": at}})
    above = replace(FAITHFUL, differences={"probability": 0.05, "table_probability": 0.51})
    message = (
        r"parity on openvino: b: table probability differs by 0\.51, over 0\.5; nothing was released: .* tolerance"
    )
    with pytest.raises(WeldError, match=message):
        check({"openvino": {"b": above}}, engines=("onnxruntime", "openvino"))


def test_difference_that_is_no_number_does_not_pass() -> None:
    broken = replace(FAITHFUL, differences={"probability": float("nan"), "table_probability": 0.0})
    with pytest.raises(WeldError, match=r"a: probability differs by nan, over 0\.1"):
        check({"onnxruntime": {"a": broken}})


def test_flip_is_refused_though_every_number_is_within_tolerance() -> None:
    turned = replace(FAITHFUL, flips=("pass by the graph and fail by torch",))
    with pytest.raises(WeldError, match=r"b: pass by the graph and fail by torch \(differences: probability 0\.05, "):
        check({"onnxruntime": {"b": turned}})


@pytest.mark.parametrize("tolerances", [{"probability": 0.1}, TOLERANCES | {"score": 1.0}])
def test_tolerances_must_be_those_of_what_is_compared(tolerances) -> None:
    with pytest.raises(WeldError, match=r"tolerances are given for .*, needed for \['probability', 'table_prob"):
        check({}, tolerances=tolerances)


def test_nothing_to_compare_is_no_pass() -> None:
    with pytest.raises(WeldError, match="nothing to compare in an empty split"):
        check({}, files={})
    with pytest.raises(WeldError, match=r"nothing to compare in \['a', 'b'\]"):
        check({"onnxruntime": dict.fromkeys(FILES, replace(FAITHFUL, n_compared=0))})


def test_differences_by_hand() -> None:
    assert distance(np.array([0.1, 0.9]), np.array([0.3, 0.8])) == pytest.approx(0.2)
    assert relative(4.0, 5.0) == pytest.approx(0.2)
    assert relative(0.1, 0.3) == pytest.approx(0.2)  # below 1 a difference counts as it is


def test_every_contract_that_can_be_opened_can_be_compared() -> None:
    assert COMPARISONS.keys() == INSPECTORS.keys()
