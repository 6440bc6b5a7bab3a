import copy
import re

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.families import comparison_of
from weld_pipeline.deploy.parity.gate import check_parity
from weld_pipeline.runtime.video.inspector import VideoInspector

TOLERANCES = {"probability": 1e-4, "score": 1e-3, "table_probability": 0.02}
ENGINES = ("onnxruntime", "openvino")


@pytest.fixture
def videos(write_film):
    return {f"run/{seed}": write_film(f"{seed}.avi", seed=seed) for seed in (1, 2)}


@pytest.fixture
def table(bundle, videos):
    """What a pipeline that agrees would have predicted."""
    rows = {}
    for sample_id, path in videos.items():
        run = VideoInspector(bundle).inspect(path).run
        named = {f"p_{name}": p for name, p in run.probabilities.items()}
        rows[sample_id] = {"predicted": run.predicted, "p_defect": run.p_defect} | named
    return rows


def check(bundle, module, videos, table, n_parts=2):
    comparison = comparison_of(bundle, module, n_parts=n_parts)
    return check_parity(comparison, videos, table, engines=ENGINES, tolerances=TOLERANCES)


@pytest.mark.parametrize("n_parts", [2, 7, None])
def test_faithful_graph_passes_with_its_differences_on_record(bundle, module, videos, table, n_parts):
    report = check(bundle, module, videos, table, n_parts)
    assert (report["n_samples"], tuple(report["engines"])) == (2, ENGINES)
    for engine in ENGINES:
        # 9 frames, windows of 4 every 2: three clips a video.
        found = report["engines"][engine]
        assert (found["n_compared"], found["n_table_flips"]) == (2 * min(n_parts or 3, 3), 0)
        assert all(0 <= difference < 1e-4 for difference in found["max_difference"].values()), engine
        assert [video["sample_id"] for video in report["samples"][engine]] == ["run/1", "run/2"]
    # The table is from the bundle on onnxruntime itself.
    assert report["engines"]["onnxruntime"]["max_difference"]["table_probability"] == pytest.approx(0, abs=1e-9)


def test_graph_of_other_weights_is_not_released(bundle, other_module, videos, table):
    with pytest.raises(WeldError, match=r"parity on onnxruntime: run/1: .*nothing was released"):
        check(bundle, other_module, videos, table)


def test_difference_over_the_tolerance_names_video_and_value(bundle, module, videos, table):
    nudged = copy.deepcopy(module)
    # A change of the temperature by 1 % changes probabilities, not labels, and leaves the score alone.
    nudged.temperature *= 1.01
    with pytest.raises(WeldError, match=r"run/\d: probability differs by 0\.0\d+, over 0\.0001"):
        check(bundle, nudged, videos, table)


def test_predictions_of_the_pipeline_that_differ_are_named(bundle, module, videos, table):
    row = table["run/2"]
    changed = {"run/2": row | {"p_defect": row["p_defect"] + 0.03}}
    with pytest.raises(WeldError, match=re.escape("run/2: table probability differs by 0.03, over 0.02")):
        check(bundle, module, videos, table | changed)


def test_flip_against_the_pipeline_within_tolerance_is_counted(bundle, module, videos, table):
    changed = {"run/1": table["run/1"] | {"predicted": "another"}}
    report = check(bundle, module, videos, table | changed)
    for engine in ENGINES:
        assert report["engines"][engine]["n_table_flips"] == 1
        assert [video["table_flips"] for video in report["samples"][engine]] == [True, False]


def test_nothing_to_compare_is_no_pass(bundle, module, table, write_film):
    with pytest.raises(WeldError, match="nothing to compare in an empty split"):
        check(bundle, module, {}, table)
    with pytest.raises(WeldError, match="video run/1 has no clip"):
        check(bundle, module, {"run/1": write_film("dark.avi", is_lit=False)}, table)
