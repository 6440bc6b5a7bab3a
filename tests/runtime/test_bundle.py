import json

import PIL
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.seals import sealed
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.contracts import AnomalyInput, ClipsInput, ViewsInput
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


def test_changed_threshold_is_refused(bundle_folder, decide_from):
    rewrite(bundle_folder, decision=decide_from(0.99), is_resealed=False)
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


@pytest.mark.parametrize("version", [2, 4, None, "weld"])
def test_unknown_format_is_refused(bundle_folder, version):
    rewrite(bundle_folder, format=version)
    with pytest.raises(WeldError, match=rf"format {version!r}, this version reads format 3; export it again"):
        load_bundle(bundle_folder)


def test_missing_key_is_named(bundle_folder):
    rewrite(bundle_folder, input={"contract": "clips", "media": "video", "window": 4, "channels": "RGB"})
    with pytest.raises(WeldError, match=r"input\.clips\.stride: Field required"):
        load_bundle(bundle_folder)


def test_keys_of_a_newer_writer_are_no_offence(bundle_folder):
    rewrite(bundle_folder, signed_by="someone")
    assert load_bundle(bundle_folder).description.decision.policy.threshold == 0.5


@pytest.mark.parametrize("part", ["calibrator", "policy"])
def test_decision_with_a_key_that_nobody_here_knows_is_refused(bundle_folder, decide_from, part):
    decision = decide_from(0.5)
    rewrite(bundle_folder, decision=decision | {part: decision[part] | {"unless": "Monday"}})
    with pytest.raises(WeldError, match=r"bundle\.json: decision\..*unless: Extra inputs are not permitted; export"):
        load_bundle(bundle_folder)


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


def test_probability_to_fail_from_needs_what_gives_one(image_folder, bundle_folder, decide_from):
    for folder in (image_folder, bundle_folder):
        rewrite(folder, decision=decide_from(0.5) | {"calibrator": None})
        with pytest.raises(WeldError, match="decision: Value error, policy p_defect needs a calibrator with platt"):
            load_bundle(folder)


def test_bundle_without_a_decision_is_refused(detector_folder, image_folder, bundle_folder):
    for folder in (detector_folder, image_folder, bundle_folder):
        rewrite(folder, decision=None)
        with pytest.raises(WeldError, match=r"bundle\.json: decision: Input should be a valid dictionary"):
            load_bundle(folder)


@pytest.mark.parametrize("threshold", [0.0, 1.0, 1.5])
def test_threshold_that_all_or_none_reach_is_refused(bundle_folder, decide_from, threshold):
    rewrite(bundle_folder, decision=decide_from(threshold))
    with pytest.raises(WeldError, match=r"decision\.policy\.p_defect\.threshold: Input should be"):
        load_bundle(bundle_folder)


def test_policy_of_another_family_is_refused(detector_folder, bundle_folder, decide_from, detector_decision):
    rewrite(detector_folder, decision=decide_from(0.5))
    with pytest.raises(WeldError, match="policy 'p_defect' does not judge input 'anomaly_map'"):
        load_bundle(detector_folder)
    rewrite(bundle_folder, decision=detector_decision)
    with pytest.raises(WeldError, match="policy 'score' does not judge input 'clips'"):
        load_bundle(bundle_folder)


def test_detector_tells_its_rule(detector_folder):
    description = load_bundle(detector_folder).description
    assert description.input.tiling is None
    assert (description.decision.policy.threshold, description.decision.policy.chosen_by) == (128.0, "f1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": None}, r"decision\.policy\.score\.threshold: Input should be a valid number"),
        ({"chosen_by": "eye"}, r"decision\.policy\.score\.chosen_by: Input should be 'f1' or 'conformal'"),
        ({"promise": ""}, "promise: String should have at least 1 character"),
    ],
)
def test_detector_whose_verdict_cannot_be_told_is_refused(
    detector_folder, detector_decision, detector_policy, changes, message
):
    rewrite(detector_folder, decision=detector_decision | {"policy": detector_policy | changes})
    with pytest.raises(WeldError, match=message):
        load_bundle(detector_folder)


@pytest.mark.parametrize("platt", [{"a": -0.1}, {"a": -0.1, "b": None}])
def test_half_a_sigmoid_is_refused(detector_folder, detector_decision, platt):
    calibrator = detector_decision["calibrator"] | {"platt": platt}
    rewrite(detector_folder, decision=detector_decision | {"calibrator": calibrator})
    with pytest.raises(WeldError, match=r"decision\.calibrator\.platt\.b: "):
        load_bundle(detector_folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": 300.0}, "do not rise: 51, 300, 255"),
        ({"low": 255.0, "threshold": 255.0}, "do not rise: 255, 255, 255"),
    ],
)
def test_detector_whose_maps_cannot_be_coloured_is_refused(detector_folder, detector_contract, changes, message):
    map_range = detector_contract["map_range"] | changes
    rewrite(detector_folder, input=detector_contract | {"map_range": map_range})
    with pytest.raises(WeldError, match=rf"input\.anomaly_map\.map_range: .*{message}"):
        load_bundle(detector_folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_threshold_that_is_no_finite_number_is_refused(detector_folder, number):
    path = detector_folder / "bundle.json"
    said = path.read_text()
    assert said.count('"threshold": 128.0') == 2  # of the verdict, and of the map
    path.write_text(said.replace('"threshold": 128.0', f'"threshold": {number}'))
    with pytest.raises(WeldError, match=r"bundle\.json is no JSON"):
        load_bundle(detector_folder)


@pytest.mark.parametrize(
    ("folder", "contract"),
    [("bundle_folder", ClipsInput), ("image_folder", ViewsInput), ("detector_folder", AnomalyInput)],
)
def test_bundle_is_fed_by_its_own_contract_and_no_other(request, folder, contract):
    bundle = load_bundle(request.getfixturevalue(folder))
    assert isinstance(bundle.fed(contract), contract)
    for other in {ClipsInput, ViewsInput, AnomalyInput} - {contract}:
        with pytest.raises(
            WeldError, match=f"{contract.DOES}; name a bundle that {other.DOES}, or the command for this"
        ):
            bundle.fed(other)


def test_identity_holds_the_policy_that_verdicts_follow(detector_folder, detector_policy):
    bundle = load_bundle(detector_folder)
    assert bundle.identity() == {
        "family": "patchcore",
        "sha256": bundle.sha256,
        "policy": detector_policy,
        "banners": ["made by a test"],
    }


def test_detector_has_two_classes(detector_folder):
    rewrite(detector_folder, classes=["good_weld", "porosity"])
    with pytest.raises(WeldError, match=r"expected \['good_weld', 'anomalous'\]"):
        load_bundle(detector_folder)


def test_tiles_that_do_not_advance_are_refused(detector_folder):
    contract = json.loads((detector_folder / "bundle.json").read_text())["input"]
    rewrite(detector_folder, input=contract | {"tiling": {"tile_px": 16, "overlap_px": 16}})
    with pytest.raises(WeldError, match="tiles of 16 px cannot overlap by 16 px"):
        load_bundle(detector_folder)


def test_resize_that_gives_other_pixels_is_refused_with_both_versions(make_image_bundle, description):
    folder = make_image_bundle()
    contract = json.loads((folder / "bundle.json").read_text())["input"]
    made = contract["resize"] | {"version": "9.9.9", "digest": "0" * 64}
    other = make_image_bundle("other", input=contract | {"resize": made})
    with pytest.raises(
        WeldError, match=rf"Pillow {PIL.__version__} resizes to other pixels than Pillow 9.9.9, .* pillow==9.9.9"
    ):
        load_bundle(other)
    # Another version that gives the same pixels is as good.
    assert load_bundle(folder).description.input.resize.version != PIL.__version__
