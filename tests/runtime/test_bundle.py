import json

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import load_bundle, sealed
from weld_pipeline.runtime.video import VideoInspector


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
    rewrite(bundle_folder, input={"media": "video", "window": 4, "channels": "RGB"})
    with pytest.raises(WeldError, match=r"input\.video\.stride: Field required"):
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
    folder = make_bundle(replace=("frames", "pictures"))
    with pytest.raises(WeldError, match="'pictures'"):
        VideoInspector(load_bundle(folder))


def test_file_that_is_no_graph_is_refused(bundle_folder):
    from weld_pipeline.core.files import sha256_file

    (bundle_folder / "model.onnx").write_bytes(b"no graph")
    files = json.loads((bundle_folder / "bundle.json").read_text())["files"]
    rewrite(bundle_folder, files=files | {"model.onnx": sha256_file(bundle_folder / "model.onnx")})
    with pytest.raises(WeldError, match=r"model\.onnx cannot be loaded"):
        VideoInspector(load_bundle(bundle_folder))


def test_medium_that_is_none_is_refused(bundle_folder):
    rewrite(bundle_folder, input={"media": "sound", "channels": "RGB"})
    with pytest.raises(WeldError, match=r"input: .*'sound'.* 'video', 'image'"):
        load_bundle(bundle_folder)


def test_threshold_and_calibration_come_together(image_folder, bundle_folder):
    rewrite(image_folder, calibration=None)
    with pytest.raises(WeldError, match=r"bundle\.json: Value error, threshold and calibration come together"):
        load_bundle(image_folder)
    rewrite(bundle_folder, calibration=None, threshold=None)
    with pytest.raises(WeldError, match="a video family has both"):
        load_bundle(bundle_folder)
