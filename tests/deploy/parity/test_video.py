import re

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.gate import Tolerances
from weld_pipeline.deploy.parity.video import check_parity
from weld_pipeline.runtime.video.inspector import VideoInspector

TOLERANCES = Tolerances(p=1e-4, score=1e-3, table_p=0.02)


@pytest.fixture
def videos(write_film):
    return {f"run/{seed}": write_film(f"{seed}.avi", seed=seed) for seed in (1, 2)}


@pytest.fixture
def table(bundle, videos):
    """What a pipeline that agrees would have predicted."""
    rows = {}
    for sample_id, path in videos.items():
        decision = VideoInspector(bundle).inspect(path).decision
        named = {f"p_{name}": p for name, p in decision.probabilities.items()}
        rows[sample_id] = {"predicted": decision.predicted, "p_defect": decision.p_defect} | named
    return rows


def check(bundle, module, videos, table, n_clips=2):
    return check_parity(bundle, module, videos, table, n_clips=n_clips, tolerances=TOLERANCES)


def test_faithful_graph_passes_with_its_differences_on_record(bundle, module, videos, table):
    report = check(bundle, module, videos, table)
    # 9 frames, windows of 4 every 2: three clips a video, of which torch sees two.
    assert (report["n_videos"], report["n_clips_compared"], report["n_label_flips"]) == (2, 4, 0)
    assert 0 <= report["max_p_difference"] < 1e-4
    assert report["table_max_p_difference"] == pytest.approx(0, abs=1e-9)
    assert [video["n_clips"] for video in report["videos"]] == [3, 3]


def test_graph_of_other_weights_is_not_released(bundle, other_module, videos, table):
    with pytest.raises(WeldError, match=r"parity: video run/1: .*nothing was released"):
        check(bundle, other_module, videos, table)


def test_difference_over_the_tolerance_names_video_and_value(bundle, module, videos, table):
    import copy

    nudged = copy.deepcopy(module)
    # A change of the temperature by 1 % changes probabilities, not labels, and leaves the score alone.
    nudged.calibration = type(module.calibration)(0.0505, -3.0, 0.2)
    with pytest.raises(WeldError, match=r"run/\d: probabilities of graph and torch differ by 0\.0\d+, over 0\.0001"):
        check(bundle, nudged, videos, table)


def test_predictions_of_the_pipeline_that_differ_are_named(bundle, module, videos, table):
    row = table["run/2"]
    changed = {"run/2": row | {"p_defect": row["p_defect"] + 0.03}}
    with pytest.raises(
        WeldError, match=re.escape("run/2: probabilities differ from the predictions table by 0.03, over 0.02")
    ):
        check(bundle, module, videos, table | changed)


def test_flip_against_the_pipeline_within_tolerance_is_counted(bundle, module, videos, table):
    changed = {"run/1": table["run/1"] | {"predicted": "another"}}
    report = check(bundle, module, videos, table | changed)
    assert (report["n_table_flips"], report["videos"][0]["table_flips"]) == (1, True)


def test_nothing_to_compare_is_no_pass(bundle, module, table, write_film):
    with pytest.raises(WeldError, match="an empty list of videos"):
        check(bundle, module, {}, table)
    with pytest.raises(WeldError, match="run/1 has no clip"):
        check(bundle, module, {"run/1": write_film("dark.avi", is_lit=False)}, table)
