import json

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import load_bundle, sealed
from weld_pipeline.runtime.contracts import AnomalyCalibration
from weld_pipeline.runtime.video.inspector import VideoInspector


def rewrite(folder, *, is_resealed=True, **changes):
    """Edit bundle.json, as an attacker or a newer version would."""
    path = folder / "bundle.json"
    value = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(sealed(value) if is_resealed else value))


def test_bundle_as_exported_is_believed(bundle_folder):
    bundle = load_bundle(bundle_folder)
    assert bundle.description.classes == ["good_weld", "porosity"]
    assert set(bundle.description.files) == {"model.onnx", "card.md"}
    assert bundle.sha256 == json.loads((bundle_folder / "bundle.json").read_text())["sha256"]


@pytest.mark.parametrize("name", ["model.onnx", "card.md"])
def test_one_changed_bit_is_refused_and_the_file_named(bundle_folder, name):
    content = bytearray((bundle_folder / name).read_bytes())
    content[-1] ^= 1
    (bundle_folder / name).write_bytes(content)
    with pytest.raises(
        WeldError, match=rf"{name} is not the file that was exported \(SHA-256 \w{{64}}, expected \w{{64}}\)"
    ):
        load_bundle(bundle_folder)


def test_changed_threshold_is_refused(bundle_folder):
    rewrite(bundle_folder, threshold=0.99, is_resealed=False)
    with pytest.raises(WeldError, match=r"bundle\.json was changed after export"):
        load_bundle(bundle_folder)


@pytest.mark.parametrize("name", ["model.onnx", "card.md"])
def test_missing_file_is_named(bundle_folder, name):
    (bundle_folder / name).unlink()
    with pytest.raises(WeldError, match=f"{name} is missing"):
        load_bundle(bundle_folder)


def test_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeldError, match=r"nowhere: no such folder"):
        load_bundle(tmp_path / "nowhere")


def test_folder_without_description_is_no_bundle(tmp_path):
    with pytest.raises(WeldError, match=r"holds no bundle\.json"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\xff\xfe", "[]"])
def test_description_that_is_no_object_is_refused(bundle_folder, text):
    (bundle_folder / "bundle.json").write_text(text, encoding="latin-1")
    with pytest.raises(WeldError, match=r"bundle\.json (is no JSON|holds a list)"):
        load_bundle(bundle_folder)


@pytest.mark.parametrize("version", [2, None, "weld"])
def test_unknown_format_is_refused(bundle_folder, version):
    rewrite(bundle_folder, format=version)
    with pytest.raises(WeldError, match="this version reads format 1"):
        load_bundle(bundle_folder)


def test_missing_key_is_named(bundle_folder):
    rewrite(bundle_folder, input={"contract": "clips", "media": "video", "window": 4, "channels": "RGB"})
    with pytest.raises(WeldError, match=r"input\.clips\.stride: Field required"):
        load_bundle(bundle_folder)


def test_keys_of_a_newer_writer_are_no_offence(bundle_folder):
    rewrite(bundle_folder, signed_by="someone")
    assert load_bundle(bundle_folder).description.threshold == 0.5


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_path_out_of_the_bundle_is_refused(bundle_folder, name):
    (bundle_folder.parent / "outside").write_bytes(b"x")
    files = json.loads((bundle_folder / "bundle.json").read_text())["files"]
    rewrite(bundle_folder, files=files | {name: "0" * 64})
    with pytest.raises(WeldError, match="leaves its folder"):
        load_bundle(bundle_folder)


def test_description_without_a_graph_is_refused(bundle_folder):
    rewrite(bundle_folder, files={"card.md": "0" * 64})
    with pytest.raises(WeldError, match=r"lists no model\.onnx"):
        load_bundle(bundle_folder)


def test_good_class_must_be_a_class(bundle_folder):
    rewrite(bundle_folder, good_class="fine")
    with pytest.raises(WeldError, match="good class 'fine'"):
        load_bundle(bundle_folder)


def test_graph_with_other_classes_than_named_is_refused(make_bundle):
    folder = make_bundle(classes=["good_weld", "porosity", "undercut"])
    with pytest.raises(WeldError, match=r"tells 2 classes apart, bundle\.json names 3"):
        VideoInspector(load_bundle(folder))


def test_graph_with_other_inputs_is_refused(make_bundle):
    folder = make_bundle(replace=("frames", "images"))
    with pytest.raises(WeldError, match="'images'"):
        VideoInspector(load_bundle(folder))


def test_file_that_is_no_graph_is_refused(bundle_folder):
    from weld_pipeline.core.files import sha256_file

    (bundle_folder / "model.onnx").write_bytes(b"no graph")
    files = json.loads((bundle_folder / "bundle.json").read_text())["files"]
    rewrite(bundle_folder, files=files | {"model.onnx": sha256_file(bundle_folder / "model.onnx")})
    with pytest.raises(WeldError, match=r"model\.onnx cannot be loaded"):
        VideoInspector(load_bundle(bundle_folder))


def test_contract_that_is_none_is_refused(bundle_folder):
    rewrite(bundle_folder, input={"contract": "sounds", "channels": "RGB"})
    with pytest.raises(WeldError, match=r"input: .*'sounds'.* 'clips', 'views', 'anomaly_map'"):
        load_bundle(bundle_folder)


def test_threshold_and_calibration_come_together(image_folder, bundle_folder):
    rewrite(image_folder, calibration=None)
    with pytest.raises(WeldError, match=r"bundle\.json: Value error, threshold and calibration come together"):
        load_bundle(image_folder)
    rewrite(bundle_folder, calibration=None, threshold=None)
    with pytest.raises(WeldError, match="a video family has both"):
        load_bundle(bundle_folder)


def test_detector_tells_its_rule(detector_folder):
    bundle = load_bundle(detector_folder)
    assert bundle.detector.tiling is None
    assert (bundle.detector_rule.score_threshold, bundle.detector_rule.kind) == (128.0, "f1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score_threshold": None}, r"calibration of a detector: score_threshold: Input should be a valid number"),
        ({"platt_b": None}, "platt_a and platt_b come together"),
        ({"map_threshold": 300.0}, "do not rise: 51, 300, 255"),
        ({"map_low": 255.0, "map_threshold": 255.0}, "do not rise: 255, 255, 255"),
        ({"promise": ""}, "promise: String should have at least 1 character"),
    ],
)
def test_detector_whose_verdict_cannot_be_told_is_refused(make_detector, detector_calibration, changes, message):
    folder = make_detector()
    rewrite(folder, calibration=detector_calibration | changes)
    with pytest.raises(WeldError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_threshold_that_is_no_finite_number_is_refused(detector_folder, number):
    path = detector_folder / "bundle.json"
    path.write_text(path.read_text().replace('"score_threshold": 128.0', f'"score_threshold": {number}'))
    with pytest.raises(WeldError, match=r"bundle\.json is no JSON"):
        load_bundle(detector_folder)


def test_detector_without_calibration_is_refused(detector_folder):
    rewrite(detector_folder, calibration=None)
    with pytest.raises(WeldError, match="calibration of a detector: score_threshold: Field required"):
        load_bundle(detector_folder)


def test_threshold_of_a_detector_is_what_its_score_means(detector_folder):
    rewrite(detector_folder, threshold=0.4)
    with pytest.raises(WeldError, match=r"threshold 0\.4, but p_defect at score_threshold is 0\.5"):
        load_bundle(detector_folder)
    rewrite(detector_folder, threshold=None)
    with pytest.raises(WeldError, match="threshold and platt_a come together"):
        load_bundle(detector_folder)


def test_detector_has_two_classes(detector_folder):
    rewrite(detector_folder, classes=["good_weld", "porosity"])
    with pytest.raises(WeldError, match=r"expected \['good_weld', 'anomalous'\]"):
        load_bundle(detector_folder)


def test_tiles_that_do_not_advance_are_refused(detector_folder):
    contract = json.loads((detector_folder / "bundle.json").read_text())["input"]
    rewrite(detector_folder, input=contract | {"tiling": {"tile_px": 16, "overlap_px": 16}})
    with pytest.raises(WeldError, match="tiles of 16 px cannot overlap by 16 px"):
        load_bundle(detector_folder)


@pytest.mark.parametrize(("a", "score"), [(-1.0, 1e6), (-1.0, -1e6), (1.0, 1e6), (-0.3, 2.5)])
def test_p_defect_is_platts_at_any_score(detector_calibration, a, score):
    # scipy's logistic function, as decision.calibration.Platt uses it.
    from scipy.special import expit

    rule = AnomalyCalibration.model_validate(detector_calibration | {"platt_a": a, "platt_b": 0.2})
    assert rule.p_defect(score) == pytest.approx(float(expit(-(a * score + 0.2))), abs=1e-15)
