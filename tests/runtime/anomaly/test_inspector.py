import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.heatmaps import anomaly_overlay
from weld_pipeline.runtime import WeldClassifier, WeldDetector
from weld_pipeline.runtime.anomaly import graph as detector_graph
from weld_pipeline.runtime.anomaly.regions import Region
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.image_reader import ImageBytes
from weld_pipeline.runtime.verdicts import NotInspected

TILING = {"tile_px": 8, "overlap_px": 0}


@pytest.fixture
def detector(detector_folder):
    return WeldDetector(detector_folder, n_threads=1)


def test_file_gets_score_map_and_verdict(detector, write_blue):
    path = write_blue([[200]])
    verdict = detector.inspect(path)
    assert (verdict.verdict, verdict.predicted, verdict.score) == ("fail", "anomalous", 200.0)
    assert (verdict.n_tiles, verdict.n_parts) == (1, 1)
    # 1 / (1 + exp(-0.1 · 200 + 12.8))
    assert verdict.p_defect == pytest.approx(0.99925397, abs=1e-8)
    assert (verdict.path, verdict.sha256) == (str(path), sha256_file(path))
    assert np.array_equal(verdict.anomaly_map, np.full((8, 8), 200.0, np.float32))
    assert verdict.regions == (Region(0, 0, 8, 8, 64, 200.0),)


def test_score_at_the_threshold_fails_and_below_it_passes(detector, write_blue):
    at, below = detector.inspect(write_blue([[128]])), detector.inspect(write_blue([[127]]))
    assert [at.verdict, below.verdict] == ["fail", "pass"]
    assert (below.predicted, below.regions) == ("good_weld", ())


def test_map_of_an_image_that_went_in_whole_has_its_size(detector, write_blue):
    # The graph takes the top left 8 × 8 pixels for the whole image.
    verdict = detector.inspect(write_blue([[130, 0], [0, 0]]))
    assert verdict.anomaly_map.shape == (16, 16)
    assert verdict.regions == (Region(0, 0, 16, 16, 256, 130.0),)


def test_long_image_is_looked_at_in_tiles_and_its_worst_decides(make_detector, write_blue):
    detector = WeldDetector(make_detector(tiling=TILING))
    verdict = detector.inspect(write_blue([[10, 20, 140], [0, 150, 30]]))
    assert (verdict.score, verdict.verdict, verdict.n_tiles) == (150.0, "fail", 6)
    expected = np.kron([[10, 20, 140], [0, 150, 30]], np.ones((8, 8)))
    assert np.abs(verdict.anomaly_map - expected).max() < 1e-4
    # They touch at a corner only.
    assert [(region.top, region.left, region.peak) for region in verdict.regions] == [(8, 8, 150), (0, 16, 140)]


def test_without_platt_there_is_no_p_defect(make_detector, detector_decision, write_blue):
    calibrator = detector_decision["calibrator"] | {"platt": None, "no_probability": "too few of a kind"}
    plain = WeldDetector(make_detector(decision=detector_decision | {"calibrator": calibrator}))
    verdict = plain.inspect(write_blue([[200]]))
    assert (verdict.verdict, verdict.p_defect) == ("fail", None)


def test_verdict_follows_the_score_and_regions_the_map(make_detector, detector_contract, write_blue):
    # From 100 on the map is marked, from 128 on an image fails.
    contract = detector_contract | {"map_range": {"low": 51.0, "threshold": 100.0, "high": 255.0}}
    verdict = WeldDetector(make_detector(input=contract)).inspect(write_blue([[120]]))
    assert (verdict.verdict, [region.peak for region in verdict.regions]) == ("pass", [120.0])


def test_pixels_bytes_and_file_say_the_same(detector, write_blue):
    path = write_blue([[77]])
    of_file = detector.inspect(str(path))
    of_pixels = detector.inspect(np.asarray(Image.open(path)))
    of_bytes = detector.inspect(ImageBytes("line 3", path.read_bytes()))
    assert of_file.score == of_pixels.score == of_bytes.score == 77.0
    assert (of_pixels.path, of_pixels.sha256) == (None, None)
    assert (of_bytes.path, of_bytes.sha256) == ("line 3", of_file.sha256)


@pytest.mark.parametrize("n_at_once", [1, 3, 8])
def test_each_keeps_order_and_tiles_over_sizes_and_broken_files(
    make_detector, write_blue, tmp_path, monkeypatch, n_at_once
):
    monkeypatch.setattr(detector_graph, "_MAX_BATCH", n_at_once)
    rows = [[[10 + i, 50 + i]] if i % 2 else [[100 + i], [i], [2 * i]] for i in range(20)]
    paths = [write_blue(row, f"{i:02}.png") for i, row in enumerate(rows)]
    paths[7].write_bytes(b"")
    detector = WeldDetector(make_detector(tiling=TILING))
    results = list(detector.inspect_each([*paths, tmp_path / "gone.png"]))
    assert [result.path for result in results] == [*map(str, paths), str(tmp_path / "gone.png")]
    for i, result in enumerate(results):
        if i in (7, 20):
            assert isinstance(result, NotInspected)
        else:
            assert result.score == np.max(rows[i])
            assert result.tiles.scores.tolist() == np.ravel(rows[i]).tolist()


def test_json_has_no_map_and_a_copy_can_be_kept_without(detector, write_blue, tmp_path):
    verdict = detector.inspect(write_blue([[200]]))
    said = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert set(said) == {
        *("path", "sha256", "width", "height", "verdict", "predicted", "score"),
        *("p_defect", "n_tiles", "regions", "timing", "warnings"),
    }
    kept = verdict.compact()
    assert kept.to_json() == verdict.to_json()
    with pytest.raises(WeldError, match="kept without its map"):
        kept.anomaly_map  # noqa: B018
    with pytest.raises(WeldError, match="kept without its pixels; inspect the image again"):
        detector.store(tmp_path / "store", kept)
    assert not (tmp_path / "store").exists()


def test_map_over_the_image_is_stored_in_the_colours_of_the_bundle(detector, write_blue, tmp_path):
    path = write_blue([[200]])
    verdict = detector.inspect(path)
    stored = detector.store(tmp_path / "store", verdict)
    drawn = Image.open(stored.with_name(json.loads(stored.read_text())["overlay"]))
    expected = anomaly_overlay(verdict.pixels, verdict.anomaly_map, low=51.0, high=255.0, threshold=128.0)
    assert np.array_equal(np.asarray(drawn), expected)


def test_result_that_is_not_a_number_gets_no_verdict(make_detector, write_blue):
    broken = make_detector(
        replace=("anomaly_map = Squeeze(blue, last)", "flat = Squeeze(blue, last)\n  anomaly_map = Log(flat)")
    )
    detector = WeldDetector(broken)
    with pytest.raises(WeldError, match="'score' is not finite"):
        detector.inspect(write_blue([[0]]))
    assert detector.inspect(write_blue([[1]])).score == 0.0


def test_graph_of_another_contract_is_refused(make_detector, image_folder, write_blue):
    with pytest.raises(WeldError, match=r"maps \('frames',\) to"):
        WeldDetector(make_detector("other", replace=("images", "frames")))
    with pytest.raises(WeldError, match="classifies images; name a bundle that finds anomalies"):
        WeldDetector(image_folder)
    contract = load_bundle(make_detector()).description.input.model_dump()
    smaller = WeldDetector(make_detector("smaller", input=contract | {"image_px": 4}))
    with pytest.raises(WeldError, match=r"maps of shape \(1, 8, 8\), bundle\.json tells 4 px"):
        smaller.inspect(write_blue([[1]]))


def test_classifier_does_not_take_a_detector(detector_folder):
    with pytest.raises(WeldError, match="finds anomalies in images; name a bundle that classifies images"):
        WeldClassifier(detector_folder)


def test_detector_is_imported_without_video_or_heavy_libraries():
    code = (
        "import sys\nfrom weld_pipeline.runtime import WeldDetector\n"
        "print([m for m in ('torch', 'kedro', 'pandas', 'mlflow', 'av', 'rich', 'scipy', 'matplotlib', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
