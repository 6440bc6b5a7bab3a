import copy

import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.anomaly import check_anomaly_parity
from weld_pipeline.deploy.parity.gate import AnomalyTolerances
from weld_pipeline.runtime import WeldDetector

TOLERANCES = AnomalyTolerances(score=1e-4, level=1e-3, table_score=1e-3, table_p=0.02)
TILING = {"tile_px": 48, "overlap_px": 8}


@pytest.fixture
def images(write_image):
    return {"run/1": write_image("1.png", seed=1), "run/2": write_image("2.jpg", seed=2, size=(50, 200))}


def told(bundle, images):
    """What a pipeline that agrees would have predicted."""
    verdicts = {sample_id: WeldDetector(bundle).inspect(path) for sample_id, path in images.items()}
    names = ("predicted", "score", "p_defect")
    return {sample_id: {name: getattr(said, name) for name in names} for sample_id, said in verdicts.items()}


def check(bundle, module, images, table):
    return check_anomaly_parity(bundle, module, images, table, tolerances=TOLERANCES)


@pytest.mark.parametrize(("tiling", "n_tiles"), [(None, 2), (TILING, 4 + 10)])
def test_faithful_graph_passes_with_its_differences_on_record(
    make_detector_bundle, detector_module, images, tiling, n_tiles
):
    bundle = make_detector_bundle(tiling=tiling)
    report = check(bundle, detector_module, images, told(bundle, images))
    assert (report["n_images"], report["n_tiles"], report["n_verdict_flips"]) == (2, n_tiles, 0)
    assert 0 <= report["max_score_difference"] < 1e-5
    assert 0 <= report["max_level_difference"] < 1e-5
    assert (report["table_max_score_difference"], report["table_max_p_difference"]) == (0, 0)
    assert [image["sample_id"] for image in report["images"]] == ["run/1", "run/2"]


def test_detector_without_platt_is_compared_by_its_scores(make_detector_bundle, detector_module, images):
    bundle = make_detector_bundle(platt_a=None, platt_b=None, threshold=None)
    table = told(bundle, images)
    assert {row.pop("p_defect") for row in table.values()} == {None}
    assert check(bundle, detector_module, images, table)["n_images"] == 2


def test_table_made_without_tiles_is_not_that_of_tiles(make_detector_bundle, detector_module, images):
    table = told(make_detector_bundle(), images)
    with pytest.raises(WeldError, match=r"run/1: .*predictions table"):
        check(make_detector_bundle(tiling=TILING), detector_module, images, table)


def test_graph_of_other_weights_is_not_released(detector_bundle, other_detector_module, images):
    with pytest.raises(WeldError, match=r"parity: image run/1: .*nothing was released"):
        check(detector_bundle, other_detector_module, images, told(detector_bundle, images))


def test_verdict_that_turns_is_refused_however_near_the_scores(make_detector_bundle, detector_module, images):
    first = told(make_detector_bundle(), images)["run/1"]["score"]
    # A hair above the image's score, and the reference a hair above that.
    bundle = make_detector_bundle(score_threshold=first * (1 + 2e-6), platt_a=None, platt_b=None, threshold=None)
    nudged = copy.deepcopy(detector_module)
    nudged.network = Scaled(nudged.network, 1 + 1e-5)
    with pytest.raises(
        WeldError, match=r"bundle and torch give another verdict .*put the threshold between two scores"
    ):
        check(bundle, nudged, images, told(bundle, images))


def test_verdict_of_the_pipeline_that_differs_is_refused(detector_bundle, detector_module, images):
    table = told(detector_bundle, images)
    table["run/2"]["predicted"] = "anomalous" if table["run/2"]["predicted"] == "good_weld" else "good_weld"
    with pytest.raises(WeldError, match="run/2: the bundle and the predictions table give another verdict"):
        check(detector_bundle, detector_module, images, table)


def test_scores_over_the_tolerance_name_image_and_value(detector_bundle, detector_module, images):
    nudged = copy.deepcopy(detector_module)
    nudged.network = Scaled(nudged.network, 1 + 3e-4)
    with pytest.raises(WeldError, match=r"run/1: scores of graph and torch differ by 0\.0003, over 0\.0001"):
        check(detector_bundle, nudged, images, told(detector_bundle, images))


def test_maps_over_the_tolerance_are_refused_though_scores_agree(detector_bundle, detector_module, images):
    nudged = copy.deepcopy(detector_module)
    nudged.network = Scaled(nudged.network, 1.0, added=0.02)  # of a coloured range of 2
    with pytest.raises(WeldError, match=r"run/1: maps of graph and torch differ by 0\.01, over 0\.001"):
        check(detector_bundle, nudged, images, told(detector_bundle, images))


@pytest.mark.parametrize(("name", "by"), [("score", 0.02), ("p_defect", 0.03)])
def test_number_of_the_pipeline_that_differs_is_named(detector_bundle, detector_module, images, name, by):
    table = told(detector_bundle, images)
    table["run/2"][name] += by
    with pytest.raises(WeldError, match=rf"run/2: {name} differs from the predictions table by 0\.0"):
        check(detector_bundle, detector_module, images, table)


def test_nothing_to_compare_is_no_pass(detector_bundle, detector_module):
    with pytest.raises(WeldError, match="no image to compare"):
        check(detector_bundle, detector_module, {}, {})


class Scaled(torch.nn.Module):
    """A detector whose scores, and whose maps, are off by a little."""

    def __init__(self, network, factor, added=0.0):
        super().__init__()
        self.network, self.factor, self.added = network, factor, added

    def forward(self, images):
        score, levels = self.network(images)
        return score * self.factor, levels + self.added
