import copy
import re

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.gate import Tolerances
from weld_pipeline.deploy.parity.image import check_image_parity
from weld_pipeline.runtime import WeldClassifier

TOLERANCES = Tolerances(p=1e-4, score=1e-3, table_p=0.02)


@pytest.fixture
def images(write_image):
    return {"run/1": write_image("1.png", seed=1), "run/2": write_image("2.jpg", seed=2, size=(50, 200))}


def told(bundle, images, **options):
    """What a pipeline that agrees would have predicted."""
    rows = {}
    for sample_id, path in images.items():
        verdict = WeldClassifier(bundle, **options).predict(path)
        named = {f"p_{name}": p for name, p in verdict.probabilities.items()}
        rows[sample_id] = {"predicted": verdict.predicted, "p_defect": verdict.p_defect} | named
    return rows


def check(bundle, module, images, table):
    return check_image_parity(bundle, module, images, table, tolerances=TOLERANCES)


def test_faithful_graph_passes_with_its_differences_on_record(image_bundle, image_module, images):
    report = check(image_bundle, image_module, images, told(image_bundle, images))
    assert (report["n_images"], report["n_label_flips"], report["n_table_flips"]) == (2, 0, 0)
    assert 0 <= report["max_p_difference"] < 1e-4
    assert report["table_max_p_difference"] == 0
    assert [image["sample_id"] for image in report["images"]] == ["run/1", "run/2"]


def test_uncalibrated_graph_is_compared_by_its_classes(plain_bundle, plain_module, images):
    table = told(plain_bundle, images)
    assert {row.pop("p_defect") for row in table.values()} == {None}
    assert check(plain_bundle, plain_module, images, table)["n_images"] == 2


def test_table_is_held_against_the_views_it_was_made_from(image_bundle, image_module, images):
    # The bundle was measured on the centre: ten views say something else, here by more than is allowed.
    with pytest.raises(WeldError, match="differ from the predictions table"):
        check(image_bundle, image_module, images, told(image_bundle, images, tta=True))


def test_graph_of_other_weights_is_not_released(image_bundle, other_image_module, images):
    with pytest.raises(WeldError, match=r"parity: image run/1: .*nothing was released.*export\.image_parity"):
        check(image_bundle, other_image_module, images, told(image_bundle, images))


def test_difference_over_the_tolerance_names_image_and_value(image_bundle, image_module, images):
    nudged = copy.deepcopy(image_module)
    # A change of the temperature by 2 % changes probabilities, not labels, and leaves the score alone.
    nudged.calibration = type(nudged.calibration)(nudged.calibration.temperature * 1.02, -3.0, 0.2)
    with pytest.raises(WeldError, match=r"run/1: probabilities of graph and torch differ by 0\.0\d+, over 0\.0001"):
        check(image_bundle, nudged, images, told(image_bundle, images))


def test_predictions_of_the_pipeline_that_differ_are_named(image_bundle, image_module, images):
    table = told(image_bundle, images)
    table["run/2"]["p_defect"] += 0.03
    message = re.escape("run/2: probabilities differ from the predictions table by 0.03, over 0.02")
    with pytest.raises(WeldError, match=message):
        check(image_bundle, image_module, images, table)


def test_nothing_to_compare_is_no_pass(image_bundle, image_module):
    with pytest.raises(WeldError, match="no image to compare"):
        check(image_bundle, image_module, {}, {})
