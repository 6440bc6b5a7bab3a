import json
from datetime import UTC, datetime

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime import WeldClassifier, records
from weld_pipeline.runtime.image_reader import ImageBytes
from weld_pipeline.runtime.records import store_verdict
from weld_pipeline.runtime.video.inspector import VideoInspector


@pytest.fixture
def classifier(image_folder):
    return WeldClassifier(image_folder)


@pytest.fixture
def clock(monkeypatch):
    """Hand out these moments, one a call."""

    def run(*microseconds):
        moments = [datetime(2026, 3, 4, 5, 6, 7, microsecond, tzinfo=UTC) for microsecond in microseconds]

        class Clock:
            @staticmethod
            def now(zone):
                assert zone is UTC
                return moments.pop(0)

        monkeypatch.setattr(records, "datetime", Clock)

    return run


def test_record_is_named_by_input_and_moment_and_says_everything(classifier, write_red, tmp_path, clock):
    clock(890)
    verdict = classifier.predict(write_red(204, "plate 7.png"))
    path = store_verdict(tmp_path / "made" / "store", verdict, classifier.bundle)
    assert path.name == "plate 7_20260304T050607.000890Z.json"
    value = json.loads(path.read_text())
    assert (value["name"], value["timestamp"]) == ("plate 7.png", "2026-03-04T05:06:07.000890+00:00")
    assert (value["predicted"], value["verdict"]) == ("porosity", "fail")
    assert value["probabilities"] == pytest.approx({"good_weld": 0.2, "porosity": 0.8}, abs=1e-6)
    assert value["sha256"] == verdict.sha256
    assert value["bundle"]["sha256"] == classifier.bundle.sha256
    assert value["bundle"]["policy"] == {"kind": "p_defect", "threshold": 0.5}
    assert value["bundle"]["banners"] == ["made by a test"]
    assert "timing" not in value


def test_record_of_bytes_is_named_as_they_were(classifier, write_red, tmp_path):
    verdict = classifier.inspect(ImageBytes("stdin", write_red(204).read_bytes()))
    path = classifier.store(tmp_path / "store", verdict)
    assert (path.name[:6], json.loads(path.read_text())["name"]) == ("stdin_", "stdin")


def test_verdict_on_a_video_is_kept_as_one_on_an_image_is(bundle_folder, write_video, tmp_path):
    inspector = VideoInspector(bundle_folder)
    verdict = inspector.inspect(write_video([51] * 8, "seam.avi"))
    value = json.loads(inspector.store(tmp_path / "store", verdict).read_text())
    assert {name: value[name] for name in ("name", "verdict", "sha256", "n_clips")} == {
        "name": "seam.avi",
        "verdict": "pass",
        "sha256": verdict.sha256,
        "n_clips": 3,
    }
    assert len(value["clips"]) == 3
    assert value["bundle"]["sha256"] == inspector.bundle.sha256


def test_record_that_is_there_stays(classifier, write_red, tmp_path, clock):
    clock(1, 1, 2)
    verdict = classifier.predict(write_red(204))
    first = store_verdict(tmp_path / "store", verdict, classifier.bundle)
    before = first.read_bytes()
    second = store_verdict(tmp_path / "store", verdict, classifier.bundle)
    assert (first.read_bytes(), first.name < second.name) == (before, True)
    assert len(list((tmp_path / "store").iterdir())) == 2  # no temporary file either


def test_store_that_cannot_be_written_is_named(classifier, write_red, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WeldError, match=r"store .*file/store: the verdict on weld\.png cannot be written"):
        store_verdict(tmp_path / "file" / "store", classifier.predict(write_red(204)), classifier.bundle)
