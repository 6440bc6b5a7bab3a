"""Bundles whose answers can be worked out by hand, and videos and images whose pixels survive the codec."""

from fractions import Fraction

import av
import numpy as np
import onnx
import pytest
from PIL import Image

from weld_pipeline.deploy.bundle import BundleContents, write_bundle
from weld_pipeline.media.resize import resize_digest

FPS = 10

# The share of red is the probability of porosity, the score its mean over the clips less ½.
GRAPH = """
<ir_version: 10, opset_import: ["" : 18]>
tiny (uint8[N,T,H,W,3] frames, float[1] latent_sum, float[1] anomaly_sum, float[1] n_clips)
  => (float[N,2] clip_probabilities, float[N] clip_anomaly, float[1] latent_sum_out, float[1] anomaly_sum_out,
      float[1] n_clips_out, float[2] probabilities, float[1] score, float[1] anomaly)
<float full = {255.0}, float one = {1.0}, float half = {0.5}, int64[3] pixels = {1, 2, 3}, int64[1] rows = {0},
 int64[1] begin_red = {0}, int64[1] end_red = {1}, int64[1] begin_blue = {2},
 int64[1] end_blue = {3}, int64[1] column = {1}, float[1] minus = {-1.0}>
{
  levels = Cast <to = 1> (frames)
  mean = ReduceMean <keepdims = 0> (levels, pixels)
  share = Div(mean, full)
  red = Slice(share, begin_red, end_red, column)
  good = Sub(one, red)
  clip_probabilities = Concat <axis = 1> (good, red)
  blue = Slice(share, begin_blue, end_blue, column)
  clip_anomaly = Squeeze(blue, column)
  red_sum = ReduceSum <keepdims = 0> (red, rows)
  blue_sum = ReduceSum <keepdims = 0> (blue, rows)
  latent_sum_out = Add(latent_sum, red_sum)
  anomaly_sum_out = Add(anomaly_sum, blue_sum)
  shape = Shape <start = 0, end = 1> (frames)
  n_new = Cast <to = 1> (shape)
  n_clips_out = Add(n_clips, n_new)
  mean_red = Div(latent_sum_out, n_clips_out)
  mean_good = Sub(one, mean_red)
  probabilities = Concat <axis = 0> (mean_good, mean_red)
  score = Sub(mean_red, half)
  anomaly = Div(anomaly_sum_out, n_clips_out)
}
"""


# p_defect is 1 / (1 + exp(-10 · score)): 0.5 at a score of 0, 0.731 at 0.1.
CALIBRATOR = {
    "temperature": 1.0,
    "platt": {"a": -10.0, "b": 0.0},
    "no_probability": None,
    "split": "calib",
    "n_good": 20,
    "n_defect": 20,
}


@pytest.fixture
def decide_from():
    """Return the decision that fails from a p_defect on."""
    return lambda threshold: {"calibrator": CALIBRATOR, "policy": {"kind": "p_defect", "threshold": threshold}}


@pytest.fixture
def description(decide_from):
    return {
        "format": 3,
        "family": "video_classifier",
        "classes": ["good_weld", "porosity"],
        "good_class": "good_weld",
        "input": {
            "contract": "clips",
            "media": "video",
            "window": 4,
            "stride": 2,
            "channels": "RGB",
            "latent_size": 1,
            "gate": {"min_luma": 128, "min_bright_fraction": 5e-4, "min_clip_fraction": 0.5},
        },
        "decision": decide_from(0.5),
        "provenance": {
            "code_commit": None,
            "code_is_dirty": None,
            "code_version": "0.1.0",
            "data_sha256": "0" * 64,
            "weights": {
                "name": "none",
                "source": "a test",
                "sha256": None,
                "licence": "none",
                "is_random": True,
            },
            "mlflow_run_id": None,
            "library_versions": {},
        },
        "metrics": {
            "accuracy": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 40, "n_sessions": 9, "is_small": False},
            "good_specificity": {"value": 1.0, "low": None, "high": None, "n": 3, "n_sessions": 2, "is_small": True},
        },
        "banners": ["made by a test"],
        "parity": None,
    }


@pytest.fixture
def make_bundle(tmp_path, description):
    """Write the tiny bundle, with changes to the text of its graph or to its description."""

    def make(name="bundle", *, replace=("", ""), **changes):
        model = onnx.parser.parse_model(GRAPH.replace(*replace))
        onnx.checker.check_model(model)
        files = {"model.onnx": model.SerializeToString(), "card.md": b"# a test\n"}
        write_bundle(tmp_path / name, BundleContents(description | changes, files))
        return tmp_path / name

    return make


@pytest.fixture
def bundle_folder(make_bundle):
    return make_bundle()


@pytest.fixture
def write_video(tmp_path):
    """Write frames losslessly; a level stands for one frame with the arc on and that much red, None for a dark one."""

    def write(levels, name="weld.avi", *, size=(48, 64), times_s=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=FPS)
            stream.height, stream.width = size
            stream.pix_fmt = "bgr0"
            if times_s is not None:
                stream.codec_context.time_base = Fraction(1, 1000)
            for index, level in enumerate(levels):
                pixels = np.zeros((*size, 3), np.uint8)
                if level is not None:
                    pixels[...] = (level, 200, 51)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="bgr0")
                if times_s is not None:
                    frame.pts, frame.time_base = round(1000 * times_s[index]), Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


# The share of red is the probability of porosity; the score is its distance from ½, once for each view.
IMAGE_GRAPH = """
<ir_version: 10, opset_import: ["" : 18]>
tiny (uint8[N,H,W,3] images, int64[V,3] views)
  => (float[N,2] logits, float[N,2] probabilities, float[N] score)
<float full = {255.0}, float one = {1.0}, float half = {0.5}, int64[2] pixels = {1, 2},
 int64[1] begin_red = {0}, int64[1] end_red = {1}, int64[1] column = {1}>
{
  levels = Cast <to = 1> (images)
  mean = ReduceMean <keepdims = 0> (levels, pixels)
  share = Div(mean, full)
  red = Slice(share, begin_red, end_red, column)
  good = Sub(one, red)
  probabilities = Concat <axis = 1> (good, red)
  logits = Log(probabilities)
  share_of_red = Squeeze(red, column)
  above = Sub(share_of_red, half)
  shape = Shape <start = 0, end = 1> (views)
  n_views = Cast <to = 1> (shape)
  score = Mul(above, n_views)
}
"""


@pytest.fixture
def make_image_bundle(tmp_path, description):
    """Write the tiny bundle of images, with changes to the text of its graph or to its description."""
    contract = {
        "contract": "views",
        "media": "image",
        "channels": "RGB",
        "resized_px": 10,
        "crop_px": 8,
        "grey": False,
        "resize": {"library": "pillow", "version": "of a test", "digest": resize_digest()},
        "jpeg_px": None,
        "views": "centre",
    }

    def make(name="images", *, replace=("", ""), **changes):
        model = onnx.parser.parse_model(IMAGE_GRAPH.replace(*replace))
        onnx.checker.check_model(model)
        files = {"model.onnx": model.SerializeToString(), "card.md": b"# a test\n"}
        described = description | {"family": "tig", "input": contract} | changes
        write_bundle(tmp_path / name, BundleContents(described, files))
        return tmp_path / name

    return make


@pytest.fixture
def image_folder(make_image_bundle):
    return make_image_bundle()


@pytest.fixture
def uncalibrated(make_image_bundle):
    """A bundle that nothing was calibrated for, so that it has no p_defect."""
    policy = {"kind": "class", "good_class": "good_weld"}
    return make_image_bundle("uncalibrated", decision={"calibrator": None, "policy": policy})


@pytest.fixture
def write_red(tmp_path):
    """Write an image of one colour with that much red, losslessly."""

    def write(level, name="weld.png", *, size=(12, 20)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size[::-1], (level, 200, 51)).save(path)
        return path

    return write


# Blue is the anomaly: the map is its level at the top left 8 × 8 pixels, the score the map's maximum. Red is not looked at.
DETECTOR_GRAPH = """
<ir_version: 10, opset_import: ["" : 18]>
tiny (uint8[N,H,W,3] images) => (float[N] score, float[N,8,8] anomaly_map)
<int64[3] begin = {0, 0, 2}, int64[3] end = {8, 8, 3}, int64[3] axes = {1, 2, 3}, int64[1] last = {3}, int64[2] pixels = {1, 2}>
{
  levels = Cast <to = 1> (images)
  blue = Slice(levels, begin, end, axes)
  anomaly_map = Squeeze(blue, last)
  score = ReduceMax <keepdims = 0> (anomaly_map, pixels)
}
"""


@pytest.fixture
def detector_policy():
    return {
        "kind": "score",
        "threshold": 128.0,
        "chosen_by": "f1",
        "unit": "image",
        "n_good_sessions": 3,
        "false_reject_rate": None,
        "false_reject_rate_95": None,
        "calib_f1": 1.0,
        "promise": "nothing, by a test",
    }


@pytest.fixture
def detector_decision(detector_policy):
    calibrator = CALIBRATOR | {"temperature": None, "platt": {"a": -0.1, "b": 12.8}}
    return {"calibrator": calibrator, "policy": detector_policy}


@pytest.fixture
def detector_contract():
    return {
        "contract": "anomaly_map",
        "media": "image",
        "channels": "RGB",
        "image_px": 8,
        "grey": False,
        "resize": None,
        "clahe_clip": 0.0,
        "smoothing": False,
        "map_range": {"low": 51.0, "threshold": 128.0, "high": 255.0},
        "tiling": None,
    }


@pytest.fixture
def make_detector(tmp_path, description, detector_decision, detector_contract):
    """Write the tiny detector, with changes to the text of its graph, to its tiling or to its description."""

    def make(name="detector", *, replace=("", ""), tiling=None, **changes):
        model = onnx.parser.parse_model(DETECTOR_GRAPH.replace(*replace))
        onnx.checker.check_model(model)
        files = {"model.onnx": model.SerializeToString(), "card.md": b"# a test\n"}
        described = description | {
            "family": "patchcore",
            "classes": ["good_weld", "anomalous"],
            "input": detector_contract | {"tiling": tiling},
            "decision": detector_decision,
        }
        write_bundle(tmp_path / name, BundleContents(described | changes, files))
        return tmp_path / name

    return make


@pytest.fixture
def detector_folder(make_detector):
    return make_detector()


@pytest.fixture
def write_blue(tmp_path):
    """Write an image of 8 × 8 squares, each with that much blue, losslessly."""

    def write(rows, name="weld.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blue = np.kron(np.array(rows, np.uint8), np.ones((8, 8), np.uint8))
        Image.fromarray(np.stack([np.full_like(blue, 200), np.zeros_like(blue), blue], axis=2)).save(path)
        return path

    return write
