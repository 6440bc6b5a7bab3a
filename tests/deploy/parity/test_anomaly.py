import copy

import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.families import comparison_of
from weld_pipeline.deploy.parity.gate import check_parity
from weld_pipeline.runtime.anomaly.inspector import WeldDetector

TOLERANCES = {"score": 1e-4, "map": 1e-3, "table_score": 1e-3, "table_probability": 0.02}
TILING = {"tile_px": 48, "overlap_px": 8}
ENGINES = ("onnxruntime", "openvino")


@pytest.fixture
def images(write_image):
    return {"run/1": write_image("1.png", seed=1), "run/2": write_image("2.jpg", seed=2, size=(50, 200))}


def told(bundle, images):
    """What a pipeline that agrees would have predicted."""
    verdicts = {sample_id: WeldDetector(bundle).inspect(path) for sample_id, path in images.items()}
    names = ("predicted", "score", "p_defect")
    return {sample_id: {name: getattr(said, name) for name in names} for sample_id, said in verdicts.items()}


def check(bundle, module, images, table):
    comparison = comparison_of(bundle, module, n_parts=None)
    return check_parity(comparison, images, table, engines=ENGINES, tolerances=TOLERANCES)


@pytest.mark.parametrize(("tiling", "n_tiles"), [(None, 2), (TILING, 4 + 10)])
def test_faithful_graph_passes_with_its_differences_on_record(
    make_detector_bundle, detector_module, images, tiling, n_tiles
):
    bundle = make_detector_bundle(tiling=tiling)
    report = check(bundle, detector_module, images, told(bundle, images))
    assert (report["n_samples"], tuple(report["engines"])) == (2, ENGINES)
    for engine in ENGINES:
        found = report["engines"][engine]
        assert (found["n_compared"], found["n_table_flips"]) == (n_tiles, 0)
        assert all(0 <= difference < 1e-5 for difference in found["max_difference"].values()), engine
        assert [image["sample_id"] for image in report["samples"][engine]] == ["run/1", "run/2"]
    # The table is from the bundle on onnxruntime itself.
    own = report["engines"]["onnxruntime"]["max_difference"]
    assert (own["table_score"], own["table_probability"]) == (0, 0)


def test_detector_without_platt_is_compared_by_its_scores(make_detector_bundle, detector_module, images):
    bundle = make_detector_bundle(platt=None)
    table = told(bundle, images)
    assert {row.pop("p_defect") for row in table.values()} == {None}
    assert check(bundle, detector_module, images, table)["n_samples"] == 2


def test_table_made_without_tiles_is_not_that_of_tiles(make_detector_bundle, detector_module, images):
    table = told(make_detector_bundle(), images)
    with pytest.raises(WeldError, match=r"run/1: table score differs by"):
        check(make_detector_bundle(tiling=TILING), detector_module, images, table)


def test_graph_of_other_weights_is_not_released(detector_bundle, other_detector_module, images):
    with pytest.raises(WeldError, match=r"parity on onnxruntime: run/1: .*nothing was released"):
        check(detector_bundle, other_detector_module, images, told(detector_bundle, images))


def test_verdict_that_turns_is_refused_however_near_the_scores(make_detector_bundle, detector_module, images):
    first = told(make_detector_bundle(), images)["run/1"]["score"]
    # A hair above the image's score, and the reference a hair above that.
    bundle = make_detector_bundle(threshold=first * (1 + 2e-6), platt=None)
    nudged = copy.deepcopy(detector_module)
    nudged.network = Scaled(nudged.network, 1 + 1e-5)
    with pytest.raises(WeldError, match=r"run/1: pass by the graph and fail by torch, score .*, 2\..* fails"):
        check(bundle, nudged, images, told(bundle, images))


def test_verdict_of_the_pipeline_that_differs_is_refused(detector_bundle, detector_module, images):
    table = told(detector_bundle, images)
    table["run/2"]["predicted"] = "anomalous" if table["run/2"]["predicted"] == "good_weld" else "good_weld"
    with pytest.raises(WeldError, match=r"run/2: .* by the bundle and .* in the predictions table"):
        check(detector_bundle, detector_module, images, table)


def test_scores_over_the_tolerance_name_image_and_value(detector_bundle, detector_module, images):
    nudged = copy.deepcopy(detector_module)
    nudged.network = Scaled(nudged.network, 1 + 3e-4)
    with pytest.raises(WeldError, match=r"run/1: score differs by 0\.0003, over 0\.0001"):
        check(detector_bundle, nudged, images, told(detector_bundle, images))


def test_maps_over_the_tolerance_are_refused_though_scores_agree(detector_bundle, detector_module, images):
    nudged = copy.deepcopy(detector_module)
    nudged.network = Scaled(nudged.network, 1.0, added=0.02)  # of a coloured range of 2
    with pytest.raises(WeldError, match=r"run/1: map differs by 0\.01, over 0\.001"):
        check(detector_bundle, nudged, images, told(detector_bundle, images))


@pytest.mark.parametrize(("name", "by"), [("score", 0.02), ("p_defect", 0.03)])
def test_number_of_the_pipeline_that_differs_is_named(detector_bundle, detector_module, images, name, by):
    table = told(detector_bundle, images)
    table["run/2"][name] += by
    named = {"score": "table score", "p_defect": "table probability"}[name]
    with pytest.raises(WeldError, match=rf"run/2: {named} differs by 0\.0"):
        check(detector_bundle, detector_module, images, table)


def test_nothing_to_compare_is_no_pass(detector_bundle, detector_module):
    with pytest.raises(WeldError, match="nothing to compare in an empty split"):
        check(detector_bundle, detector_module, {}, {})


class Scaled(torch.nn.Module):
    """A detector whose scores, and whose maps, are off by a little."""

    def __init__(self, network, factor, added=0.0):
        super().__init__()
        self.network, self.factor, self.added = network, factor, added

    def forward(self, images):
        score, levels = self.network(images)
        return score * self.factor, levels + self.added
