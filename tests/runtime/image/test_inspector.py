import json
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.media.handmade import SEEN, png16, scaled
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.runtime import WeldClassifier
from weld_pipeline.runtime import image_reader as reading
from weld_pipeline.runtime.image_reader import ImageBytes
from weld_pipeline.runtime.verdicts import NotInspected


@pytest.fixture
def classifier(image_folder):
    return WeldClassifier(image_folder, n_threads=1)


def test_file_gets_label_confidence_and_probabilities(classifier, write_red):
    path = write_red(204)  # 204 / 255 = 0.8
    verdict = classifier.predict(path)
    assert (verdict.label, verdict.verdict) == ("porosity", "fail")
    assert verdict.confidence == pytest.approx(0.8, abs=1e-6)
    assert verdict.probabilities == pytest.approx({"good_weld": 0.2, "porosity": 0.8}, abs=1e-6)
    assert verdict.score == pytest.approx(0.3, abs=1e-6)
    assert verdict.p_defect == pytest.approx(0.9525741, abs=1e-6)  # 1 / (1 + exp(-10 · 0.3))
    assert (verdict.width, verdict.height, verdict.n_views, verdict.n_parts) == (20, 12, 1, 1)
    assert (verdict.path, verdict.sha256) == (str(path), sha256_file(path))


def test_pass_or_fail_goes_by_the_threshold_and_not_by_the_class(make_image_bundle, decide_from, write_red):
    strict, lax = (WeldClassifier(make_image_bundle(str(at), decision=decide_from(at))) for at in (0.04, 0.05))
    path = write_red(51)  # a score of -0.3, which is a p_defect of 0.047
    assert [(each.label, each.verdict) for each in (strict.predict(path), lax.predict(path))] == [
        ("good_weld", "fail"),
        ("good_weld", "pass"),
    ]


def test_without_calibration_every_class_but_the_good_one_fails(uncalibrated, write_red):
    classifier = WeldClassifier(uncalibrated)
    good, bad = classifier.predict(write_red(51)), classifier.predict(write_red(204))
    assert [(each.label, each.verdict) for each in (good, bad)] == [("good_weld", "pass"), ("porosity", "fail")]
    assert good.p_defect is None


def test_ten_views_vote_if_asked_or_if_the_bundle_was_measured_so(image_folder, make_image_bundle, write_red):
    path = write_red(204)
    ten = WeldClassifier(image_folder, tta=True).predict(path)
    assert (ten.n_views, ten.score) == (10, pytest.approx(3.0, abs=1e-5))
    described = json.loads((image_folder / "bundle.json").read_text())["input"] | {"views": "ten"}
    measured = make_image_bundle("ten", input=described)
    assert WeldClassifier(measured).predict(path).n_views == 10
    assert WeldClassifier(measured, tta=False).predict(path).n_views == 1


def test_pixels_bytes_and_file_say_the_same(classifier, write_red):
    path = write_red(77)
    of_file = classifier.predict(str(path))
    of_pixels = classifier.predict(np.asarray(Image.open(path)))
    of_bytes = classifier.predict(ImageBytes("line 3", path.read_bytes()))
    assert of_file.probabilities == of_pixels.probabilities == of_bytes.probabilities
    assert (of_pixels.path, of_pixels.sha256) == (None, None)
    assert (of_bytes.path, of_bytes.sha256) == ("line 3", of_file.sha256)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_array_that_is_no_rgb_image_is_named(classifier, array):
    with pytest.raises(WeldError, match=rf"an array of {array.dtype} with shape .* expected RGB pixels as uint8"):
        classifier.predict(array)


def test_broken_file_is_named(classifier, tmp_path):
    (tmp_path / "cut.png").write_bytes(b"")
    with pytest.raises(WeldError, match=r"image .*cut\.png: the file has 0 bytes"):
        classifier.predict(tmp_path / "cut.png")
    with pytest.raises(WeldError, match=r"nowhere\.png: no such file"):
        classifier.predict(tmp_path / "nowhere.png")


def test_batch_keeps_the_order_over_sizes_and_broken_files(classifier, write_red, tmp_path):
    sizes = [(12, 20), (30, 8), (12, 20), (9, 9)]
    paths = [write_red(10 + 51 * (i % 5) % 240, f"{i:02}.png", size=sizes[i % 4]) for i in range(40)]
    paths[7].write_bytes(paths[7].read_bytes()[:40])
    results = classifier.predict_batch([*paths, tmp_path / "gone.png"])
    assert [result.path for result in results] == [*map(str, paths), str(tmp_path / "gone.png")]
    assert [i for i, result in enumerate(results) if isinstance(result, NotInspected)] == [7, 40]
    for i, result in enumerate(results):
        if i not in (7, 40):
            assert result.probabilities == classifier.predict(paths[i]).probabilities
            assert (result.height, result.width) == sizes[i % 4]


def test_entry_without_a_verdict_has_no_label(classifier, tmp_path):
    (entry,) = classifier.predict_batch([tmp_path / "gone.png"])
    assert "no such file" in entry.error
    assert not hasattr(entry, "label")


def test_verdicts_come_while_later_images_are_not_yet_read(classifier, write_red):
    path, asked = write_red(51), []

    def sources():
        for index in range(1000):
            asked.append(index)
            yield path

    verdicts = classifier.inspect_each(sources())
    next(verdicts)
    # A chunk in the network, one behind it, and the first image of the one after.
    assert len(asked) <= 3 * 16
    verdicts.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("image-reader")]


AS_IT_IS = reading.Preparation(lambda image: image[None], keeps_pixels=False)


def test_pixels_are_kept_only_where_they_are_needed(write_red):
    path = write_red(77)
    assert reading.read(path, AS_IT_IS).pixels is None
    kept = reading.read(path, replace(AS_IT_IS, keeps_pixels=True))
    assert np.array_equal(kept.pixels[None], kept.fed)
    assert (kept.height, kept.width) == (12, 20)


def test_chunks_are_bounded_by_pixels(monkeypatch, write_red):
    monkeypatch.setattr(reading, "_MAX_PIXELS", 500)
    small, large = write_red(9, "s.png", size=(10, 20)), write_red(9, "l.png", size=(40, 40))
    chunks = list(reading.read_ahead([small, small, small, large, small], AS_IT_IS))
    # 200 px each: two fit into 500; the large one is over the limit by itself and comes alone.
    assert [len(chunk) for chunk in chunks] == [2, 1, 1, 1]


def test_empty_batch_is_empty(classifier):
    assert classifier.predict_batch([]) == []


def test_result_that_is_not_a_number_gets_no_verdict(make_image_bundle, write_red):
    broken = make_image_bundle(
        "broken",
        replace=("score = Mul(above, n_views)", "product = Mul(above, n_views)\n  score = Log(product)"),
    )
    with pytest.raises(WeldError, match="'score' is not finite"):
        WeldClassifier(broken).predict(write_red(51))


def test_bundle_of_the_other_medium_is_named(bundle_folder, image_folder):
    from weld_pipeline.runtime.bundle import load_bundle
    from weld_pipeline.runtime.video.inspector import VideoInspector

    with pytest.raises(WeldError, match="inspects video; name a bundle that classifies images"):
        WeldClassifier(bundle_folder)
    with pytest.raises(WeldError, match="classifies images; name a bundle that inspects video"):
        VideoInspector(load_bundle(image_folder))


def test_graph_of_other_classes_or_outputs_is_refused(make_image_bundle):
    with pytest.raises(WeldError, match=r"tells 2 classes apart, bundle\.json names 3"):
        WeldClassifier(make_image_bundle("three", classes=["good_weld", "porosity", "undercut"]))
    with pytest.raises(WeldError, match=r"to \('logits', 'probabilities'\), expected .* 'score'\)"):
        WeldClassifier(make_image_bundle("lost", replace=(", float[N] score)", ")")))


def test_classifier_is_imported_without_video_or_heavy_libraries():
    code = (
        "import sys\nfrom weld_pipeline.runtime import WeldClassifier\n"
        "print([m for m in ('torch', 'kedro', 'pandas', 'mlflow', 'av', 'rich', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_name_of_the_runtime_is_no_attribute():
    from weld_pipeline import runtime

    with pytest.raises(AttributeError, match=r"No weld_pipeline\.runtime attribute Classifier"):
        runtime.Classifier  # noqa: B018


def test_stated_bits_travel_in_the_contract_and_a_doubt_in_the_verdict(image_folder, make_image_bundle, tmp_path):
    (tmp_path / "low.png").write_bytes(png16(scaled(4095), colour_type=0))
    doubtful = WeldClassifier(image_folder).predict(tmp_path / "low.png")
    assert doubtful.to_json()["warnings"][0].startswith("low_values: pixel values reach 3481")
    contract = json.loads((image_folder / "bundle.json").read_text())["input"] | {"sample_bits": 12}
    stated = WeldClassifier(make_image_bundle("stated", input=contract)).predict(tmp_path / "low.png")
    assert stated.warnings == ()
    assert stated.probabilities["porosity"] == pytest.approx(SEEN.mean() / 255, abs=0.005)


def test_limit_of_pixels_can_be_set(image_folder, write_red):
    with pytest.raises(WeldError, match="20×12 px are more than the 239 allowed"):
        WeldClassifier(image_folder, max_pixels=239).predict(write_red(51))
