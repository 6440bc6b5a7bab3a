"""The whole graph: what torch says, ONNX says, for images of any size and any number of views."""

import math

import numpy as np
import onnxruntime
import pytest
import torch

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image.classifier import ImageClassifier, restore_image_classifier, soft_vote
from weld_pipeline.nn.image.graph import ImageGraph
from weld_pipeline.nn.state import tensors_of
from weld_pipeline.runtime.image.graph import INPUTS, OUTPUTS

STATISTICS = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.3]}
VIEWS = {kind: torch.from_numpy(crop_views(kind, resized_px=40, crop_px=32)) for kind in ("centre", "ten")}


def classifier(kind="arcface", *, grey=False, seed=0):
    torch.manual_seed(seed)
    network = ImageClassifier(
        trunk={"name": "test_efficientnet", "crop_px": 32, **STATISTICS},
        head={"kind": kind, "n_classes": 3, "scale": 8.0, "margin": 0.5},
        preprocess={"resized_px": 40, "crop_px": 32, "grey": grey, **STATISTICS},
        dropout=0.0,
    )
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():  # statistics as if of a training, so that images differ in their logits
        network.train()(torch.randn(16, 3, 32, 32))
    return network.eval()


def random_images(n, height, width, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, height, width, 3), dtype=np.uint8))


def exported(graph):
    n, height, width, n_views = (torch.export.Dim(name) for name in "NHWV")
    program = torch.onnx.export(
        graph,
        (random_images(2, 35, 51), VIEWS["ten"][:3]),
        dynamo=True,
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        opset_version=18,
        dynamic_shapes=({0: n, 1: height, 2: width}, {0: n_views}),
        verbose=False,
    )
    return onnxruntime.InferenceSession(program.model_proto.SerializeToString())


@pytest.mark.parametrize(("kind", "grey", "temperature"), [("arcface", False, 1.5), ("softmax", True, 1.0)])
def test_onnx_says_what_torch_says_for_any_size_and_views(kind, grey, temperature):
    graph = ImageGraph(classifier=classifier(kind, grey=grey), good_index=1, temperature=temperature, resizes=True)
    session = exported(graph)
    assert [output.name for output in session.get_outputs()] == list(OUTPUTS)
    for n, height, width, views in [
        (1, 64, 48, "centre"),
        (3, 40, 40, "ten"),
        (2, 20, 90, "ten"),
        (1, 33, 127, "centre"),
    ]:
        images = random_images(n, height, width, seed=n)
        with torch.inference_mode():
            expected = graph(images, VIEWS[views])
        found = session.run(None, {"images": images.numpy(), "views": VIEWS[views].numpy()})
        for ours, theirs in zip(expected, found, strict=True):
            np.testing.assert_allclose(theirs, ours.numpy(), atol=1e-4)


def test_outputs_are_what_their_names_say():
    graph = ImageGraph(classifier=classifier(), good_index=1, temperature=1.5)
    squares = random_images(2, 40, 40)
    with torch.inference_mode():
        logits, probabilities, score = graph(squares, VIEWS["centre"])
        network = graph.classifier
        crops = squares[:, 4:36, 4:36]
        expected = torch.log_softmax(network(network.preprocess.normalise(crops)), dim=1)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(probabilities, torch.softmax(logits / 1.5, dim=1))
    odds = (logits[:, 0].exp() + logits[:, 2].exp()) / logits[:, 1].exp()
    torch.testing.assert_close(score, odds.log(), rtol=1e-4, atol=1e-5)


def test_views_are_voted_on_softly():
    """Two views, probabilities (.9, .1) and (.3, .7): the mean is (.6, .4), whatever the scale of the logits."""
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.3, 0.7]])) + torch.tensor([[5.0], [-3.0]])
    torch.testing.assert_close(soft_vote(logits, 2), torch.tensor([[math.log(0.6), math.log(0.4)]]))
    torch.testing.assert_close(soft_vote(logits, 1), torch.log_softmax(logits, dim=1))


def test_temperature_of_one_leaves_the_probabilities_of_the_network():
    graph = ImageGraph(classifier=classifier(), good_index=0, temperature=1.0)
    with torch.inference_mode():
        logits, probabilities, _ = graph(random_images(1, 40, 40), VIEWS["ten"])
    torch.testing.assert_close(probabilities, logits.exp())


@pytest.mark.parametrize("kind", ["softmax", "arcface", "cosface"])
def test_classifier_survives_saving(kind):
    network = classifier(kind)
    again = restore_image_classifier(SavedModel("image_classifier", network.architecture, tensors_of(network)))
    batch = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(again(batch), network(batch))
    assert not any(parameter.requires_grad for parameter in again.parameters())
