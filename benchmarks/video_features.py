"""R3D-18 clip features from video files, against the plain way: the same weights, the same windows, one run.

The peer reads a whole video with OpenCV into memory, then cuts, resizes and normalises each clip on its own and runs the
network in float32, one clip at a time, as the reference system does. Its windows are ours, so that the work is equal.
"""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks.common import Row, main, row, timed
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.nn.video.compute import choose_compute
from weld_pipeline.nn.video.features import FeatureWorker, FeatureWorkerFactory, Windows, first_clips
from weld_pipeline.nn.video.trunk import VideoTrunk, load_trunk, save_trunk
from weld_pipeline.synthetic.drawn.shop.drawing import example_weld
from weld_pipeline.synthetic.drawn.shop.video import draw_video
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES

WINDOWS = Windows(window=16, stride=8, gate=ArcGate())
_FLAT = 1.05  # peak memory may differ by noise of the allocator, not by the number of videos


def compare(quick: bool) -> Sequence[Row]:
    """Return rows for speed, for agreement of what a classifier would say, and for memory."""
    with tempfile.TemporaryDirectory() as folder:
        videos = _draw(Path(folder), n=6 if quick else 24, arc_s=1.2 if quick else 2.6)
        trunk, record = load_trunk("r3d_18", weights="auto", seed=0, folder=Path("data/06_models/pretrained"))
        cropped = first_clips(videos[:4], trunk.preprocess, WINDOWS)
        compute = choose_compute(trunk, cropped, precision="auto", max_rounding=0.1)
        worker = FeatureWorkerFactory(save_trunk(trunk, record), WINDOWS, compute, batch_size=4)()
        plain_trunk, _ = load_trunk("r3d_18", weights="auto", seed=0, folder=Path("data/06_models/pretrained"))
        starts = [worker(video)["start"] for video in videos[:1]]  # warm
        ours_found: list[np.ndarray] = []
        peer_found: list[np.ndarray] = []
        starts = []
        ours_s = timed(lambda: _ours(worker, videos, ours_found, starts))
        peer_s = timed(lambda: _peer(plain_trunk, videos, starts, peer_found))
        n_clips = sum(len(each) for each in starts)
        memory = _peak_mb(Path(folder), 4 if quick else 10), _peak_mb(Path(folder), 20 if quick else 200)
    return [
        row(
            f"clips/s from files, {compute.precision} ({n_clips} clips)",
            ours=n_clips / ours_s,
            peer=n_clips / peer_s,
            unit="clips/s",
            target=2.5,
            better="higher",
        ),
        *_agreement(ours_found, peer_found),
        row(
            "peak memory at many videos, against few",
            ours=memory[1],
            peer=memory[0],
            unit="MB",
            target=round(1 / _FLAT, 3),
        ),
    ]


def _ours(worker: FeatureWorker, videos: Sequence[Path], found: list[np.ndarray], starts: list[np.ndarray]) -> None:
    for video in videos:
        features = worker(video)
        found.append(features["embedding"])
        starts.append(features["start"])


def _peer(trunk: VideoTrunk, videos: Sequence[Path], starts: Sequence[np.ndarray], found: list[np.ndarray]) -> None:
    preprocess = trunk.preprocess
    mean, std = (getattr(preprocess, name).numpy().reshape(3) for name in ("mean", "std"))
    for video, first in zip(videos, starts, strict=True):
        frames = _read_all(video)
        embeddings = []
        for start in first:
            clip = np.stack([_prepared(frame, mean, std) for frame in frames[start : start + WINDOWS.window]])
            batch: Tensor = torch.from_numpy(clip).permute(3, 0, 1, 2)[None]  # [1, C, T, H, W]
            with torch.no_grad():
                embeddings.append(trunk.body(batch)[0].numpy())
        found.append(np.stack(embeddings))


def _read_all(video: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(video))
    frames = []
    while True:
        is_read, frame = capture.read()
        if not is_read:
            return frames
        frames.append(frame)


def _prepared(frame: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    resized = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), (171, 128), interpolation=cv2.INTER_LINEAR)
    crop = resized[8:120, 30:142]  # centre 112 of 128 × 171, as the weights' own transform cuts it
    return ((crop.astype(np.float32) / 255 - mean) / std).astype(np.float32)


def _agreement(ours: Sequence[np.ndarray], peer: Sequence[np.ndarray]) -> list[Row]:
    """Return rows for the clips, and for the videos, that a nearest-centroid classifier puts alike.

    Its centroids are made from the peer's features; a video's feature is the mean of its clips', as the family pools them.
    """
    label = np.arange(len(peer)) % len(CLASSES)
    exact = np.concatenate(peer)
    spread = exact.std(axis=0) + 1e-12
    clip_label = np.repeat(label, [len(each) for each in peer])
    centroids = np.stack([exact[clip_label == each].mean(axis=0) for each in np.unique(label)]) / spread

    def same(fast: np.ndarray, exact: np.ndarray) -> float:
        nearest = [
            np.linalg.norm((found / spread)[:, None] - centroids[None], axis=2).argmin(axis=1)
            for found in (fast, exact)
        ]
        return float(np.mean(nearest[0] == nearest[1]))

    def pooled(found: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([each.mean(axis=0) for each in found])

    shares = {"clips": same(np.concatenate(ours), exact), "videos": same(pooled(ours), pooled(peer))}
    return [
        row(
            f"{what} put alike by a nearest-centroid classifier",
            ours=share,
            peer=1.0,
            unit="share",
            target=1.0,
            better="higher",
        )
        for what, share in shares.items()
    ]


def _draw(folder: Path, *, n: int, arc_s: float) -> list[Path]:
    videos = []
    for number in range(n):
        path = folder / f"{number:03d}.avi"
        weld = example_weld(CLASSES[number % len(CLASSES)], number=number, arc_s=arc_s, lead_s=0.2)
        path.write_bytes(draw_video(weld))
        videos.append(path)
    return videos


def _peak_mb(folder: Path, n_videos: int) -> float:
    """Return the peak memory of a process of its own that goes through `n_videos`."""
    (video,) = _draw(folder, n=1, arc_s=0.8)
    command = [sys.executable, "-m", "benchmarks.video_features", "--memory", str(video), str(n_videos)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _go_through(video: str, n_videos: int) -> None:
    trunk, record = load_trunk("r3d_18", weights="random", seed=0, folder=Path())
    compute = choose_compute(
        trunk, torch.zeros(2, 16, 112, 112, 3, dtype=torch.uint8), precision="bf16", max_rounding=1
    )
    worker = FeatureWorkerFactory(save_trunk(trunk, record), WINDOWS, compute, batch_size=4)()
    for _ in range(n_videos):
        worker(Path(video))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        _go_through(sys.argv[2], int(sys.argv[3]))
    else:
        main("R3D-18 clip features from video files, against the plain way", compare)
