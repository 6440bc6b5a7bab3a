from typing import get_args

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from tests.deploy.conftest import CROP, RESIZED, SIDE
from weld_pipeline.deploy.onnx_export import OPSET, export_anomaly_graph, export_image_graph, export_video_graph
from weld_pipeline.engines.open import open_graph
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.resize import resize_to_square
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.video.graph import Outputs
from weld_pipeline.runtime.anomaly import graph as detector_graph
from weld_pipeline.runtime.image import graph as images_graph
from weld_pipeline.runtime.video.graph import INPUTS, OUTPUTS


@pytest.fixture(scope="module")
def session(graph):
    return ort.InferenceSession(graph)


def run(session, frames, state):
    values = session.run(list(OUTPUTS), dict(zip(INPUTS, (frames, *state), strict=True)))
    return dict(zip(OUTPUTS, values, strict=True))


def noise(n_clips, height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n_clips, 4, height, width, 3), dtype=np.uint8)


def zeros():
    return np.zeros(3, np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32)


def test_module_and_runtime_mean_the_same_outputs_in_one_order():
    assert Outputs._fields == OUTPUTS


@pytest.mark.parametrize("family", ["video", "image", "plain", "anomaly"])
def test_graph_gives_what_the_runtime_reads_and_no_probability_of_a_defect(
    family, graph, image_graph, plain_graph, detector_onnx
):
    # The decision is no part of the graph: the runtime applies it, so that another threshold needs no new graph.
    exported, contract = {
        "video": (graph, (INPUTS, OUTPUTS)),
        "image": (image_graph, (images_graph.INPUTS, images_graph.OUTPUTS)),
        "plain": (plain_graph, (images_graph.INPUTS, images_graph.OUTPUTS)),
        "anomaly": (detector_onnx, (detector_graph.INPUTS, detector_graph.OUTPUTS)),
    }[family]
    opened = ort.InferenceSession(exported)
    names = tuple(tuple(value.name for value in values) for values in (opened.get_inputs(), opened.get_outputs()))
    assert names == contract
    assert "p_defect" not in names[1]


# The real recording's size, smaller than the crop, upright, and odd; one clip and several.
@pytest.mark.parametrize(("n_clips", "height", "width"), [(1, 600, 960), (3, 48, 64), (2, 200, 90), (5, 111, 113)])
def test_graph_equals_torch_at_any_size_and_number_of_clips(session, module, n_clips, height, width):
    frames = noise(n_clips, height, width)
    got = run(session, frames, zeros())
    with torch.inference_mode():
        wanted = module(torch.from_numpy(frames), *module.zero_state())._asdict()
    for name in OUTPUTS:
        np.testing.assert_allclose(got[name], wanted[name].numpy(), atol=1e-5, rtol=1e-5, err_msg=name)


def test_clips_one_by_one_equal_all_at_once(session):
    frames = noise(6, 60, 80)
    at_once = run(session, frames, zeros())
    state, one_by_one = zeros(), []
    for clip in frames:
        last = run(session, clip[None], state)
        state = (last["latent_sum_out"], last["anomaly_sum_out"], last["n_clips_out"])
        one_by_one.append(last["clip_probabilities"][0])
    np.testing.assert_allclose(one_by_one, at_once["clip_probabilities"], atol=1e-5)
    for name in ("probabilities", "score", "anomaly", "n_clips_out"):
        np.testing.assert_allclose(last[name], at_once[name], atol=1e-5, err_msg=name)


def test_different_clips_get_different_answers(session):
    # Guards the tests above: a graph of constants would pass them.
    bright, dark = (run(session, noise(1, 60, 80) // divisor, zeros())["score"] for divisor in (1, 4))
    assert abs(float(bright[0] - dark[0])) > 0.01


def test_same_module_gives_the_same_bytes(graph, module):
    assert export_video_graph(module, window=4, latent_size=3) == graph


def test_graph_is_one_file_of_the_stated_opset_and_tells_no_paths(graph, project_root):
    model = onnx.load_from_string(graph)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == OPSET
    assert not [tensor.name for tensor in model.graph.initializer if tensor.external_data]
    assert str(project_root).encode() not in graph


@pytest.fixture(scope="module")
def image_session(image_graph):
    return ort.InferenceSession(image_graph)


def see(session, images, kind="centre"):
    views = crop_views(kind, resized_px=RESIZED, crop_px=CROP)
    values = session.run(list(images_graph.OUTPUTS), {"images": images, "views": views})
    return dict(zip(images_graph.OUTPUTS, values, strict=True))


@pytest.mark.parametrize("n_images", [1, 3])
@pytest.mark.parametrize("kind", ["centre", "ten"])
def test_image_graph_equals_torch_at_any_number_and_view(image_session, image_module, n_images, kind):
    images = noise(n_images, RESIZED, RESIZED)[:, 0]
    got = see(image_session, images, kind)
    views = torch.from_numpy(crop_views(kind, resized_px=RESIZED, crop_px=CROP))
    with torch.inference_mode():
        wanted = image_module(torch.from_numpy(images), views)
    for name, value in zip(images_graph.OUTPUTS, wanted, strict=True):
        np.testing.assert_allclose(got[name], value.numpy(), atol=1e-4, rtol=1e-4, err_msg=name)


# A camera's size, smaller than the graph's own, upright, odd, exactly its own, and large; one image and several.
@pytest.mark.parametrize(
    "shape", [(1, 600, 960), (3, 11, 17), (2, 200, 90), (5, 111, 113), (2, RESIZED, RESIZED), (1, 1944, 2592)]
)
@pytest.mark.parametrize("engine", get_args(Engine))
def test_graph_that_resizes_says_what_one_that_is_fed_squares_says(image_session, plain_graph, tmp_path, shape, engine):
    images = noise(*shape)[:, 0]
    squares = np.stack([resize_to_square(image, RESIZED, grey=False) for image in images])
    views = crop_views("centre", resized_px=RESIZED, crop_px=CROP)
    (tmp_path / "model.onnx").write_bytes(plain_graph)
    session = open_graph(tmp_path / "model.onnx", engine=engine, n_threads=1)
    names = ["logits", "score"]  # the temperatures of their probabilities differ
    got = session.run(names, {"images": images, "views": views})
    for name, value in zip(names, got, strict=True):
        np.testing.assert_allclose(value, see(image_session, squares)[name], atol=1e-4, rtol=1e-4, err_msg=name)


def test_image_graph_tells_images_and_views_apart(image_session):
    # Guards the test above: a graph of constants would pass it.
    images = noise(2, RESIZED, RESIZED)[:, 0] // np.array([1, 4], np.uint8)[:, None, None, None]
    centre, ten = see(image_session, images), see(image_session, images, "ten")
    assert abs(centre["score"][0] - centre["score"][1]) > 0.01
    assert abs(centre["score"] - ten["score"]).max() > 1e-4


def test_same_image_module_gives_the_same_bytes(image_graph, image_module):
    assert export_image_graph(image_module) == image_graph


@pytest.mark.parametrize("n_images", [1, 3])
def test_anomaly_graph_equals_torch_at_any_number(detector_onnx, detector_module, n_images):
    images = noise(n_images, SIDE, SIDE)[:, 0]
    score, levels = ort.InferenceSession(detector_onnx).run(list(detector_graph.OUTPUTS), {"images": images})
    with torch.inference_mode():
        wanted_score, wanted_levels = detector_module(torch.from_numpy(images))
    assert levels.shape == (n_images, SIDE, SIDE)
    np.testing.assert_allclose(score, wanted_score.numpy(), rtol=1e-5)
    np.testing.assert_allclose(levels, wanted_levels.numpy(), atol=1e-5)


def test_anomaly_graph_tells_images_apart(detector_onnx):
    # Guards the test above: a graph of constants would pass it.
    images = noise(2, SIDE, SIDE)[:, 0] // np.array([1, 4], np.uint8)[:, None, None, None]
    score, levels = ort.InferenceSession(detector_onnx).run(None, {"images": images})
    assert abs(score[0] - score[1]) > 1e-3
    assert abs(levels[0] - levels[1]).max() > 0.1


def test_same_detector_gives_the_same_bytes(detector_onnx, detector_module):
    assert export_anomaly_graph(detector_module) == detector_onnx


def test_export_leaves_the_module_as_it_was(image_graph, image_module):
    """While it is exported its activations work on copies."""
    assert [part.inplace for part in image_module.modules() if isinstance(part, torch.nn.ReLU)]
    assert all(part.inplace for part in image_module.modules() if isinstance(part, torch.nn.ReLU))
