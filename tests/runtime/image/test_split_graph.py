import ast
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.media.handmade import packed, png16, scaled, tiff
from weld_pipeline.cli import app
from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime import WeldClassifier
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.image.split_graph import write_triple

# Runs the three files as their README says, where nothing but the standard library, numpy, Pillow and onnxruntime
# can be imported; the current folder is the triple.
CHAIN = """
import sys, json
ALLOWED = {"numpy", "PIL", "onnxruntime", "pre_processing", "post_processing"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in ALLOWED | sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, ".")
import onnxruntime
from post_processing import post_process
from pre_processing import WeldError, pre_process
session = onnxruntime.InferenceSession("model.onnx")
names = [output.name for output in session.get_outputs()]
for name in sys.argv[2:]:
    try:
        with open(name, "rb") as file:
            inputs = pre_process(file.read(), **json.loads(sys.argv[1]))
        print(json.dumps(post_process(dict(zip(names, session.run(names, inputs))))[0]))
    except WeldError as error:
        print(json.dumps({"error": str(error)}))
"""


def chain(folder, *images, **options):
    command = [sys.executable, "-c", CHAIN, json.dumps(options), *map(str, images)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def odd_images(tmp_path):
    """One of each kind whose reading could go two ways."""
    noise = np.random.default_rng(0).integers(1, 256, (12, 20, 3), dtype=np.uint8)
    colour = Image.fromarray(noise)
    turned = Image.Exif()
    turned[0x0112] = 6
    paths = {
        name: tmp_path / name
        for name in ("rgb.png", "turned.jpg", "cmyk.jpg", "deep.png", "alpha.png", "p.gif", "12.tif")
    }
    colour.save(paths["rgb.png"])
    colour.save(paths["turned.jpg"], exif=turned)
    colour.convert("CMYK").save(paths["cmyk.jpg"])
    Image.fromarray(noise[..., 0].astype(np.uint16) * 200).save(paths["deep.png"])
    colour.convert("RGBA").save(paths["alpha.png"])
    colour.quantize(16).save(paths["p.gif"])
    paths["12.tif"].write_bytes(tiff((packed(scaled(4095), 12), *scaled(1).shape, {258: 12, 262: 0})))
    return list(paths.values())


def test_three_files_say_what_the_bundle_says(image_folder, odd_images, tmp_path):
    classifier = WeldClassifier(image_folder)
    write_triple(classifier.bundle, tmp_path / "triple")
    said = chain(tmp_path / "triple", *odd_images)
    for path, got in zip(odd_images, said, strict=True):
        verdict = classifier.predict(path)
        expected = {name: getattr(verdict, name) for name in got}
        assert got == expected, path.name


def test_modules_of_the_reader_share_no_name_and_the_stated_bits_are_carried_over(
    make_image_bundle, image_folder, tmp_path
):
    contract = json.loads((image_folder / "bundle.json").read_text())["input"] | {"sample_bits": 12}
    folder = make_image_bundle("stated", input=contract)
    write_triple(load_bundle(folder), tmp_path / "triple")
    names = [
        name for node in ast.parse((tmp_path / "triple/pre_processing.py").read_text()).body for name in defined(node)
    ]
    assert len(set(names)) == len(names)
    (tmp_path / "low.png").write_bytes(png16(scaled(4095), colour_type=0))
    (got,) = chain(tmp_path / "triple", tmp_path / "low.png")
    assert got["score"] == WeldClassifier(folder).predict(tmp_path / "low.png").score


def defined(node):
    """The names that a statement of a module gives."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    return []


def test_ten_views_and_missing_calibration_are_carried_over(uncalibrated, odd_images, tmp_path):
    classifier = WeldClassifier(uncalibrated, tta=True)
    write_triple(classifier.bundle, tmp_path / "triple")
    (got,) = chain(tmp_path / "triple", odd_images[0], tta=True)
    verdict = classifier.predict(odd_images[0])
    assert (got["score"], got["p_defect"], got["verdict"]) == (verdict.score, None, verdict.verdict)


def test_broken_image_is_an_error_there_too(image_folder, odd_images, tmp_path):
    odd_images[0].write_bytes(odd_images[0].read_bytes()[:60])
    write_triple(load_bundle(image_folder), tmp_path / "triple")
    (got,) = chain(tmp_path / "triple", odd_images[0])
    assert "does not decode to its end" in got["error"]


def test_command_writes_the_files_and_names_them(image_folder, tmp_path):
    done = CliRunner().invoke(app, ["bundle", "split", str(image_folder), "--output", str(tmp_path / "triple")])
    assert done.exit_code == 0
    names = sorted(path.name for path in (tmp_path / "triple").iterdir())
    assert names == ["README.md", "model.onnx", "post_processing.py", "pre_processing.py"]
    assert sorted(line.rsplit("/", 1)[1] for line in done.stdout.split()) == names
    assert (tmp_path / "triple" / "model.onnx").read_bytes() == (image_folder / "model.onnx").read_bytes()
    assert "made by a test" in (tmp_path / "triple" / "README.md").read_text()


@pytest.mark.parametrize(
    ("folder", "does"), [("bundle_folder", "inspects video"), ("detector_folder", "finds anomalies in images")]
)
def test_bundle_that_is_no_classifier_cannot_be_split(request, folder, does, tmp_path):
    with pytest.raises(WeldError, match=f"{does}; name a bundle that classifies images"):
        write_triple(load_bundle(request.getfixturevalue(folder)), tmp_path / "triple")
    assert not (tmp_path / "triple").exists()
