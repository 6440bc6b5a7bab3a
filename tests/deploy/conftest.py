"""A video classifier small enough to export in a second, and lossless drawn films."""

import av
import numpy as np
import pytest
import torch
from torch import nn

from weld_pipeline.deploy.bundle import BundleContents, write_bundle
from weld_pipeline.deploy.card import model_card
from weld_pipeline.nn.autoencoder import Autoencoder
from weld_pipeline.nn.classifier import LatentClassifier
from weld_pipeline.nn.preprocess import ClipPreprocess
from weld_pipeline.nn.standardizer import FeatureStatistics
from weld_pipeline.nn.trunks import VideoTrunk
from weld_pipeline.nn.video_classifier import Calibration, VideoClassifier

WINDOW, LATENT, CLASSES = 4, 3, ["good_weld", "porosity", "undercut"]


class TinyTrunk(VideoTrunk):
    """The interface of a trunk around one convolution."""

    def __init__(self):
        nn.Module.__init__(self)
        self.name, self.embedding_size = "tiny", 6
        self.preprocess = ClipPreprocess(
            resize_size=(128, 171), crop_size=(112, 112), mean=(0.43, 0.39, 0.38), std=(0.23, 0.22, 0.22)
        )
        self.body = nn.Sequential(
            nn.Conv3d(3, 6, (2, 9, 9), stride=(1, 5, 5)), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()
        )
        self.head = nn.Linear(6, 5)


def classifier(seed=0):
    torch.manual_seed(seed)
    return VideoClassifier(
        trunk=TinyTrunk(),
        source="embedding",
        statistics=FeatureStatistics(np.full(5, 0.2, np.float32), np.full(5, 0.05, np.float32), 10),
        autoencoder=Autoencoder(n_features=5, hidden=8, latent=LATENT),
        good_autoencoder=Autoencoder(n_features=5, hidden=8, latent=LATENT),
        classifier=LatentClassifier(latent=LATENT, hidden=16, n_classes=len(CLASSES)),
        calibration=Calibration(temperature=0.05, platt_a=-3.0, platt_b=0.2),
        good_index=0,
    )


@pytest.fixture(scope="session")
def module():
    return classifier()


@pytest.fixture(scope="session")
def other_module():
    """The same architecture with other weights: what a wrong export would look like."""
    return classifier(seed=1)


@pytest.fixture(scope="session")
def graph(module):
    from weld_pipeline.deploy.onnx_export import export_video_graph

    return export_video_graph(module, window=WINDOW, latent_size=LATENT)


@pytest.fixture
def description():
    weights = {"name": "tiny.random", "source": "seed 0", "sha256": None, "licence": "none", "is_random": True}
    return {
        "format": 1,
        "family": "video_classifier",
        "classes": CLASSES,
        "good_class": "good_weld",
        "input": {
            "media": "video",
            "window": WINDOW,
            "stride": 2,
            "channels": "RGB",
            "latent_size": LATENT,
            "gate": {"min_luma": 128, "min_bright_fraction": 5e-4, "min_clip_fraction": 0.5},
        },
        "threshold": 0.5,
        "calibration": {"temperature": 0.05, "platt_a": -3.0, "platt_b": 0.2},
        "provenance": {
            "code_commit": "c" * 40,
            "code_is_dirty": True,
            "code_version": "0.1.0",
            "data_sha256": "d" * 64,
            "weights": weights,
            "mlflow_run_id": None,
            "library_versions": {"torch": "2"},
        },
        "metrics": {},
        "banners": ["RANDOM WEIGHTS"],
        "parity": None,
    }


@pytest.fixture
def contents(description, graph):
    return BundleContents(description, {"model.onnx": graph, "card.md": model_card(description).encode()})


@pytest.fixture
def bundle(tmp_path, contents):
    from weld_pipeline.runtime.bundle import load_bundle

    write_bundle(tmp_path / "bundle", contents)
    return load_bundle(tmp_path / "bundle")


@pytest.fixture
def write_film(tmp_path):
    """Write frames of seeded noise with a bright spot, losslessly."""

    def write(name, *, n_frames=9, size=(60, 80), seed=0, is_lit=True):
        path = tmp_path / name
        random = np.random.default_rng(seed)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.height, stream.width = size
            stream.pix_fmt = "bgr0"
            for _ in range(n_frames):
                pixels = random.integers(0, 100, (*size, 3), dtype=np.uint8)
                if is_lit:
                    pixels[20:40, 20:40] = random.integers(150, 255)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="bgr0")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write
