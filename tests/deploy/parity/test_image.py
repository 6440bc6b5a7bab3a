import copy
import re

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.families import comparison_of
from weld_pipeline.deploy.parity.gate import check_parity
from weld_pipeline.runtime.image.inspector import WeldClassifier

TOLERANCES = {"probability": 1e-4, "score": 1e-3, "table_probability": 0.02}
ENGINES = ("onnxruntime", "openvino")


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
    comparison = comparison_of(bundle, module, n_parts=None)
    return check_parity(comparison, images, table, engines=ENGINES, tolerances=TOLERANCES)


def test_faithful_graph_passes_with_its_differences_on_record(image_bundle, image_module, images):
    report = check(image_bundle, image_module, images, told(image_bundle, images))
    assert (report["n_samples"], tuple(report["engines"])) == (2, ENGINES)
    for engine in ENGINES:
        found = report["engines"][engine]
        # Two images, each in the centre and in ten views.
        assert (found["n_compared"], found["n_table_flips"]) == (4, 0)
        assert all(0 <= difference < 1e-4 for difference in found["max_difference"].values()), engine
        assert [image["sample_id"] for image in report["samples"][engine]] == ["run/1", "run/2"]
    # The table is from the bundle on onnxruntime itself.
    assert report["engines"]["onnxruntime"]["max_difference"]["table_probability"] == 0


def test_uncalibrated_graph_is_compared_by_its_classes(plain_bundle, plain_module, images):
    table = told(plain_bundle, images)
    assert {row.pop("p_defect") for row in table.values()} == {None}
    assert check(plain_bundle, plain_module, images, table)["n_samples"] == 2


def test_table_is_held_against_the_views_it_was_made_from(image_bundle, image_module, images):
    # The bundle was measured on the centre: ten views say something else, here by more than is allowed.
    with pytest.raises(WeldError, match=r"run/\d: table probability differs by"):
        check(image_bundle, image_module, images, told(image_bundle, images, tta=True))


def test_graph_of_other_weights_is_not_released(image_bundle, other_image_module, images):
    with pytest.raises(WeldError, match=r"parity on onnxruntime: run/1: .*nothing was released"):
        check(image_bundle, other_image_module, images, told(image_bundle, images))


def test_difference_over_the_tolerance_names_image_and_value(image_bundle, image_module, images):
    nudged = copy.deepcopy(image_module)
    # A change of the temperature by 2 % changes probabilities, not labels, and leaves the score alone.
    nudged.temperature *= 1.02
    with pytest.raises(WeldError, match=r"run/1: probability differs by 0\.0\d+, over 0\.0001"):
        check(image_bundle, nudged, images, told(image_bundle, images))


def test_predictions_of_the_pipeline_that_differ_are_named(image_bundle, image_module, images):
    table = told(image_bundle, images)
    table["run/2"]["p_defect"] += 0.03
    message = re.escape("run/2: table probability differs by 0.03, over 0.02")
    with pytest.raises(WeldError, match=message):
        check(image_bundle, image_module, images, table)


def test_flip_against_the_pipeline_within_tolerance_is_counted(image_bundle, image_module, images):
    table = told(image_bundle, images)
    table["run/1"]["predicted"] = "another"
    report = check(image_bundle, image_module, images, table)
    for engine in ENGINES:
        assert report["engines"][engine]["n_table_flips"] == 1
        assert [image["table_flips"] for image in report["samples"][engine]] == [True, False]


def test_nothing_to_compare_is_no_pass(image_bundle, image_module):
    with pytest.raises(WeldError, match="nothing to compare in an empty split"):
        check(image_bundle, image_module, {}, {})
