"""Image files to verdicts through a bundle, against torch in eager mode on the same files.

The network is MobileNetV2 at 224 px with random weights; the frames are drawn as PNG at 640 px and at the 1280 px of the real
TIG recordings, and as colour JPEG at the 2592 × 1944 px of industrial cameras, since reading and resizing grow with the image and
the network does not. The peer decodes with Pillow, resizes with torch's antialiased
bilinear filter, crops, normalises, and runs the network in float32 under `inference_mode`, in batches of the same
size; that it says the same is checked before anything is measured.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from benchmarks._drawn import CLASSES, draw_frames
from benchmarks.common import Row, in_turns, main, row, thread_counts, timed
from weld_pipeline.core.errors import WeldError
from weld_pipeline.decision.policy import ClassPolicy, Decision
from weld_pipeline.deploy.bundle import ExportedGraph, candidate, write_bundle
from weld_pipeline.deploy.description import image_contract
from weld_pipeline.deploy.onnx_export import export_image_graph
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.images import read_image
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image import graph as torch_graph
from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.nn.image.trunk import load_image_trunk
from weld_pipeline.runtime import WeldClassifier
from weld_pipeline.runtime.image.graph import ImageGraph

NETWORK, RESIZED, CROP, BATCH = "mobilenetv2_100", 256, 224, 16
GOOD = "good_weld"
# What files are called, and the least that batches and single files must be faster than the peer.
_TARGETS = {"640 px": (1.5, 1.0), "1280 px": (2.0, 2.2), "2592 px JPEG": (1.5, 1.5)}
_CAMERA_SIZE = (2592, 1944)
_START_LIMIT_S = 1.5
_BLOCK = 20
# Of the spread of a logit between images: the two resize filters differ by a level here and there.
_MAX_DIFFERENCE = 0.1
_START = (
    "import sys; from weld_pipeline.runtime import WeldClassifier; WeldClassifier(sys.argv[1]).predict(sys.argv[2])"
)


def compare(quick: bool) -> Sequence[Row]:
    """Return rows for batches from files and from arrays, for single images, and for the start in a fresh process."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        network = _network(folder)
        bundle, plain = _write_bundle(folder / "bundle", network), _Plain(network)
        files = {name: _draw(folder / name, n_per_session=2 if quick else 4) for name in _TARGETS}
        rows = []
        for name, n_threads, engine in product(_TARGETS, thread_counts(), get_args(Engine)):
            torch.set_num_threads(n_threads)
            ours = WeldClassifier(bundle, n_threads=n_threads, engine=engine)
            graph = ImageGraph(ours.bundle, n_threads=n_threads, engine=engine)
            _check_same(ours, plain, files[name][:BATCH])
            found = [
                *_batches(ours, graph, plain, files[name], repeats=3 if quick else 7, target=_TARGETS[name][0]),
                *_singles(ours, plain, files[name], n_blocks=1 if quick else 8, target=_TARGETS[name][1]),
            ]
            rows += [replace(each, name=f"{name}, {n_threads} thread(s), {engine}, {each.name}") for each in found]
        return [*rows, _start(bundle, files["1280 px"][0], repeats=3 if quick else 9)]


def _draw(folder: Path, *, n_per_session: int) -> list[Path]:
    """Return the files of whole batches, of the width that the folder's name tells."""
    folder.mkdir()
    width = int(folder.name.split()[0])
    frames = draw_frames(folder, n_per_session=n_per_session, width=width)
    paths = [frame.path for frame in frames[: len(frames) // BATCH * BATCH]]
    return [_as_camera_jpeg(path) for path in paths] if "JPEG" in folder.name else paths


def _as_camera_jpeg(path: Path) -> Path:
    """Return a frame as a colour JPEG of an industrial camera's size."""
    jpeg = path.with_suffix(".jpg")
    Image.open(path).convert("RGB").resize(_CAMERA_SIZE).save(jpeg, quality=92)
    return jpeg


class _Plain:
    """Torch in eager mode."""

    def __init__(self, network: ImageClassifier) -> None:
        self.network = network.eval()
        self.mean, self.std = (getattr(network.preprocess, name) for name in ("mean", "std"))

    def of_files(self, files: Sequence[Path]) -> np.ndarray:
        """Return the probabilities of image files, a batch at a time."""
        parts = [files[first : first + BATCH] for first in range(0, len(files), BATCH)]
        return np.concatenate([self.of_arrays([_decoded(path) for path in part]) for part in parts])

    def of_arrays(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probabilities of decoded images as one batch."""
        with torch.inference_mode():
            batch = torch.stack([self._prepared(image) for image in images])
            probabilities: np.ndarray = torch.softmax(self.network(batch), dim=1).numpy()
        return probabilities

    def _prepared(self, image: np.ndarray) -> Tensor:
        levels = torch.from_numpy(image).permute(2, 0, 1)[None]  # [1, 3, H, W]
        resized = functional.interpolate(levels, (RESIZED, RESIZED), mode="bilinear", antialias=True)
        first = (RESIZED - CROP) // 2
        crop = resized[:, :, first : first + CROP, first : first + CROP]
        return ((crop.float() / 255 - self.mean) / self.std)[0]


def _decoded(path: Path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGB"))


def _batches(
    ours: WeldClassifier, graph: ImageGraph, plain: _Plain, files: Sequence[Path], *, repeats: int, target: float
) -> list[Row]:
    images = [_decoded(path) for path in files[:BATCH]]
    views = crop_views("centre", resized_px=RESIZED, crop_px=CROP)

    def of_arrays() -> object:
        return graph.run(np.concatenate([graph.contract.fed(image) for image in images]), views)

    from_files = in_turns(lambda: ours.predict_batch(files), lambda: plain.of_files(files), repeats=repeats)
    from_arrays = in_turns(of_arrays, lambda: plain.of_arrays(images), repeats=2 * repeats)
    return [
        row(
            name,
            ours=n / statistics.median(seconds[0]),
            peer=n / statistics.median(seconds[1]),
            unit="images/s",
            target=target,
            better="higher",
        )
        for name, n, seconds in (
            (f"{len(files)} files, batches of {BATCH}", len(files), from_files),
            (f"decoded arrays, a batch of {BATCH}", BATCH, from_arrays),
        )
    ]


def _singles(ours: WeldClassifier, plain: _Plain, files: Sequence[Path], *, n_blocks: int, target: float) -> list[Row]:
    ours_ms, peer_ms = [], []
    # In blocks: threads of the one still spin for a moment when the other begins.
    for block in range(n_blocks):
        paths = np.roll(np.array(files), -block * _BLOCK)[:_BLOCK]
        ours_ms += [1000 * timed(lambda path=path: ours.predict(path)) for path in paths]
        peer_ms += [1000 * timed(lambda path=path: plain.of_files([path])) for path in paths]
    return [
        row(
            f"one file, p{percent} of {len(ours_ms)}",
            ours=float(np.percentile(ours_ms, percent)),
            peer=float(np.percentile(peer_ms, percent)),
            unit="ms",
            target=target,
        )
        for percent in (50, 90, 99)
    ]


def _start(bundle: Path, image: Path, *, repeats: int) -> Row:
    command = [sys.executable, "-c", _START, str(bundle), str(image)]
    (seconds,) = in_turns(lambda: subprocess.run(command, check=True, capture_output=True), repeats=repeats)
    return row(
        "fresh process to its first verdict, against what is allowed",
        ours=statistics.median(seconds),
        peer=_START_LIMIT_S,
        unit="s",
        target=1.0,
    )


def _check_same(ours: WeldClassifier, plain: _Plain, files: Sequence[Path]) -> None:
    verdicts = [ours.predict(path) for path in files]
    found = np.log([[each.probabilities[name] for name in CLASSES] for each in verdicts])
    # Decoded as the bundle does it; what is measured decodes JPEGs of the peer in full.
    expected = np.log(plain.of_arrays([read_image(path, jpeg_px=RESIZED) for path in files]))
    difference = float((np.abs(found - expected) / expected.std(axis=0)).max())
    if difference > _MAX_DIFFERENCE:
        raise WeldError(
            f"bundle and torch differ by {difference:.2f} of the spread between images; speed compares nothing then"
        )


def _network(folder: Path) -> ImageClassifier:
    trunk, _ = load_image_trunk(NETWORK, crop_px=CROP, weights="random", seed=0, folder=folder)
    numbers = trunk.architecture
    network = ImageClassifier(
        trunk=numbers,
        head={"kind": "softmax", "n_classes": len(CLASSES), "scale": 1.0, "margin": 0.0},
        preprocess={
            "resized_px": RESIZED,
            "crop_px": CROP,
            "grey": False,
            "mean": numbers["mean"],
            "std": numbers["std"],
        },
        dropout=0.0,
    )
    return network.eval()


def _write_bundle(folder: Path, network: ImageClassifier) -> Path:
    module = torch_graph.ImageGraph(classifier=network, good_index=CLASSES.index(GOOD), temperature=1.0)
    exported = ExportedGraph(
        onnx=export_image_graph(module),
        classes=CLASSES,
        good_class=GOOD,
        contract=image_contract(network.preprocess.architecture, views="centre", jpeg_px=RESIZED, resizes=False),
        weights={"name": f"{NETWORK}.random", "source": "torch", "sha256": None, "licence": "none", "is_random": True},
    )
    contents = candidate(
        exported,
        evaluation={"rates": {}, "baselines": []},
        family="benchmark",
        decision=Decision(calibrator=None, policy=ClassPolicy(kind="class", good_class=GOOD)),
        manifest=pd.DataFrame(columns=["sample_id", "sha256", "label", "split", "status"]),
        mlflow_run_id=None,
        banners=["RANDOM WEIGHTS"],
    )
    write_bundle(folder, contents)
    return folder


if __name__ == "__main__":
    main(__doc__.splitlines()[0] if __doc__ else "", compare)
