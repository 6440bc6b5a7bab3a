"""The assembled graph: streamed or at once, and made of parts that belong together."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.state import tensors_of
from weld_pipeline.nn.video.autoencoder import Autoencoder, reconstruction_error
from weld_pipeline.nn.video.classifier import LatentClassifier
from weld_pipeline.nn.video.graph import Outputs, VideoClassifier, assemble
from weld_pipeline.nn.video.standardizer import FeatureStatistics
from weld_pipeline.nn.video.trunk import save_trunk
from weld_pipeline.runtime.video.graph import INPUTS, OUTPUTS

CLASSES = ["Bad", "Good", "Worse"]


@pytest.fixture(scope="module")
def classifier(random_trunk):
    torch.manual_seed(0)
    return VideoClassifier(
        trunk=random_trunk[0],
        source="embedding",
        statistics=FeatureStatistics(np.full(400, 0.5, np.float32), np.full(400, 0.2, np.float32), 9),
        autoencoder=Autoencoder(),
        good_autoencoder=Autoencoder(),
        classifier=LatentClassifier(n_classes=3),
        temperature=1.7,
        good_index=1,
    )


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(1, 11), unique=True), seed=st.integers(0, 50))
def test_clips_in_any_batches_end_in_the_same_state(classifier, cuts, seed):
    features = torch.randn(12, 512, generator=torch.Generator().manual_seed(seed))
    at_once = classifier.from_features(features, *classifier.zero_state())
    state, anomalies, probabilities = classifier.zero_state(), [], []
    for batch in torch.tensor_split(features, sorted(cuts)):
        out = classifier.from_features(batch, *state)
        state = (out.latent_sum_out, out.anomaly_sum_out, out.n_clips_out)
        anomalies.append(out.clip_anomaly)
        probabilities.append(out.clip_probabilities)
    for name in ("latent_sum_out", "n_clips_out", "probabilities", "score", "anomaly"):
        torch.testing.assert_close(getattr(out, name), getattr(at_once, name), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat(anomalies), at_once.clip_anomaly, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat(probabilities), at_once.clip_probabilities, rtol=1e-4, atol=1e-5)


def test_outputs_are_what_their_names_say(classifier):
    features = torch.randn(5, 512, generator=torch.Generator().manual_seed(3))
    out = classifier.from_features(features, *classifier.zero_state())
    x = (features[:, :400] - 0.5) / 0.2
    latent = classifier.autoencoder.encoder(x)
    logits = classifier.classifier(latent.mean(dim=0, keepdim=True))[0]
    odds = (torch.exp(logits[0]) + torch.exp(logits[2])) / torch.exp(logits[1])
    torch.testing.assert_close(out.probabilities, torch.softmax(logits / 1.7, 0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(out.score[0], torch.log(odds), rtol=1e-4, atol=1e-5)
    errors = reconstruction_error(classifier.good_autoencoder(x)[0], x)
    torch.testing.assert_close(out.anomaly[0], errors.mean(), rtol=1e-4, atol=1e-5)
    assert out.n_clips_out.tolist() == [5]


def test_names_are_those_of_the_graph_contract():
    arguments = tuple(inspect.signature(VideoClassifier.forward).parameters)[1:]
    assert arguments == INPUTS == ("frames", "latent_sum", "anomaly_sum", "n_clips")
    assert Outputs._fields == OUTPUTS
    assert OUTPUTS == (
        "clip_probabilities",
        "clip_anomaly",
        "latent_sum_out",
        "anomaly_sum_out",
        "n_clips_out",
        "probabilities",
        "score",
        "anomaly",
    )


def test_frames_of_any_size_go_in(classifier):
    frames = torch.randint(0, 256, (1, 4, 37, 61, 3), dtype=torch.uint8)
    with torch.inference_mode():
        out = classifier(frames, *classifier.zero_state())
        embedding, _ = classifier.trunk(frames)
        expected = classifier.from_features(embedding, *classifier.zero_state())
    assert torch.equal(out.probabilities, expected.probabilities)


def parts(classifier, record):
    trunk = save_trunk(classifier.trunk, record)

    def saved(family, module, **provenance):
        return SavedModel(family, module.architecture, tensors_of(module), provenance=provenance)

    return {
        "trunk": trunk,
        "standardizer": SavedModel(
            "standardizer",
            {"source": "embedding", "n_features": 400},
            tensors_of(classifier.standardizer),
            training={"n_rows": 9},
            provenance={"trunk": trunk.provenance["fingerprint"]},
        ),
        "autoencoder": saved("autoencoder", classifier.autoencoder),
        "good_autoencoder": saved("autoencoder", classifier.good_autoencoder),
        "classifier": saved("latent_classifier", classifier.classifier, classes=CLASSES, good_class="Good"),
        "temperature": 1.7,
    }


def test_classifier_assembled_from_saved_parts_says_the_same(classifier, random_trunk):
    again = assemble(**parts(classifier, random_trunk[1]))
    features = torch.randn(3, 512, generator=torch.Generator().manual_seed(1))
    for one, other in zip(
        classifier.from_features(features, *classifier.zero_state()),
        again.from_features(features, *again.zero_state()),
        strict=True,
    ):
        assert torch.equal(one, other)
    assert (again.good_index, again.latent_size) == (1, 64)
    assert not again.training


def test_parts_of_different_trunks_are_refused(classifier, random_trunk):
    given_parts = parts(classifier, random_trunk[1])
    other = replace(given_parts["standardizer"], provenance={"trunk": "0" * 64})
    with pytest.raises(WeldError, match="standardizer was fitted on features of trunk 000000000000, not"):
        assemble(**given_parts | {"standardizer": other})
