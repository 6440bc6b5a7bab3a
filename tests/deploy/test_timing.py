import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.timing import start_up, time_samples
from weld_pipeline.runtime.anomaly.inspector import WeldDetector
from weld_pipeline.runtime.image.inspector import WeldClassifier
from weld_pipeline.runtime.video.inspector import VideoInspector


@pytest.fixture
def images(write_image):
    return {str(seed): write_image(f"{seed}.png", seed=seed) for seed in range(4)}


def test_report_tells_percentiles_start_and_the_share_right(plain_bundle, images):
    said = {name: WeldClassifier(plain_bundle).predict(path).label for name, path in images.items()}
    truth = said | {"2": "something else"}
    report = time_samples(plain_bundle, images, truth, n_threads=1)
    assert (report["n_samples"], report["n_right"], report["accuracy"]) == (4, 3, 0.75)
    for step in ("decode", "network", "total"):
        assert 0 < report["ms"][step]["p50"] <= report["ms"][step]["p90"] <= report["ms"][step]["p99"]
    assert report["ms"]["total"]["p50"] > report["ms"]["network"]["p50"]
    assert report["n_parts"] == 1
    start = report["start_s"]
    assert start["total"] == pytest.approx(start["import"] + start["load"] + start["first_verdict"], abs=1e-6)


def test_detector_is_timed_alike_and_right_where_it_fails_any_defect(make_detector_bundle, images):
    bundle = make_detector_bundle(tiling={"tile_px": 48, "overlap_px": 8})
    failed = {name: WeldDetector(bundle).inspect(path).verdict == "fail" for name, path in images.items()}
    truth = {name: "porosity" if is_bad else "good_weld" for name, is_bad in failed.items()}
    report = time_samples(bundle, images, truth, n_threads=1)
    # 60 × 80 pixels in tiles of 48 that share 8: two rows of two.
    assert (report["n_right"], report["n_parts"]) == (4, 4)
    assert 0 < report["ms"]["decode"]["p50"] < report["ms"]["total"]["p50"]
    assert report["start_s"]["first_verdict"] > 0
    turned = truth | {"2": "good_weld" if failed["2"] else "porosity"}
    assert time_samples(bundle, images, turned, n_threads=1)["n_right"] == 3


def test_videos_are_timed_by_the_same_rule(bundle, write_film):
    films = {str(seed): write_film(f"{seed}.avi", seed=seed) for seed in (1, 2)}
    inspector = VideoInspector(bundle)
    truth = {"1": inspector.inspect(films["1"]).predicted, "2": "something else"}
    report = time_samples(bundle, films, truth, n_threads=1)
    # 9 frames, windows of 4 every 2: three clips.
    assert (report["n_samples"], report["n_right"], report["n_parts"]) == (2, 1, 3)
    assert 0 < report["ms"]["network"]["p50"] < report["ms"]["total"]["p50"]
    assert report["start_s"]["load"] > 0


def test_fresh_process_that_fails_is_named(plain_bundle, tmp_path):
    with pytest.raises(WeldError, match=r"no verdict on .*gone\.png .*no such file"):
        start_up(plain_bundle, tmp_path / "gone.png")


def test_nothing_to_time_is_named(plain_bundle):
    with pytest.raises(WeldError, match="no sample to time"):
        time_samples(plain_bundle, {}, {}, n_threads=1)
