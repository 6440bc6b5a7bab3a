"""The same graph under two engines."""

import sys

import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime import WeldClassifier, WeldDetector


def test_openvino_judges_as_onnxruntime_does(detector_folder, write_blue):
    image = write_blue([10, 200, 30])
    ours, theirs = (
        WeldDetector(detector_folder, engine=engine).inspect(image) for engine in ("onnxruntime", "openvino")
    )
    assert theirs.score == pytest.approx(ours.score, rel=1e-5)
    assert np.allclose(theirs.anomaly_map, ours.anomaly_map, rtol=1e-5, atol=1e-6)
    assert theirs.verdict == ours.verdict


def test_classifier_takes_either_engine_too(image_folder, write_red):
    image = write_red(180)
    ours, theirs = (
        WeldClassifier(image_folder, engine=engine).predict(image) for engine in ("onnxruntime", "openvino")
    )
    assert theirs.label == ours.label
    assert list(theirs.probabilities.values()) == pytest.approx(list(ours.probabilities.values()), abs=1e-5)


def test_engine_that_is_not_installed_is_named(detector_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(WeldError, match="package openvino is not installed; install it, or take onnxruntime"):
        WeldDetector(detector_folder, engine="openvino")
