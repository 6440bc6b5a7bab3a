"""Every engine opens a graph as the same Session."""

import numpy as np
import pytest

from weld_pipeline.engines.open import ENGINES, open_graph
from weld_pipeline.engines.session import Session


@pytest.fixture(params=sorted(ENGINES))
def session(request, image_folder):
    return open_graph(image_folder / "model.onnx", engine=request.param, n_threads=1)


def test_session_names_inputs_in_order_and_outputs_with_their_shapes(session):
    assert isinstance(session, Session)
    assert session.inputs == ("images", "views")
    assert {name: len(shape) for name, shape in session.outputs.items()} == {
        "logits": 2,
        "probabilities": 2,
        "score": 1,
    }
    n_images, n_classes = session.outputs["probabilities"]
    assert (isinstance(n_images, int), n_classes) == (False, 2)


def test_outputs_come_as_they_were_named_and_stay_as_they_are(session):
    views = np.zeros((1, 3), np.int64)
    feeds = [{"images": np.full((1, 4, 4, 3), level, np.uint8), "views": views} for level in (51, 204)]
    (score, probabilities), (later,) = (
        session.run(["score", "probabilities"], feeds[0]),
        session.run(["score"], feeds[1]),
    )
    # Shares of red of 0.2 and 0.8, less a half. The second answer must not overwrite the first.
    assert score == pytest.approx([-0.3], abs=1e-6)
    assert probabilities[0] == pytest.approx([0.8, 0.2], abs=1e-6)
    assert later == pytest.approx([0.3], abs=1e-6)


def test_idle_threads_of_onnx_runtime_soon_sleep(image_folder):
    session = open_graph(image_folder / "model.onnx", engine="onnxruntime", n_threads=2)
    options = session._session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.spin_duration_us") == "100"
