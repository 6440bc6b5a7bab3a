"""Clip features of videos: decode, cut into clips, run the trunk; memory holds one batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.media.clips import ArcGate, Clip, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.nn.training.read_ahead import read_ahead
from weld_pipeline.nn.video.compute import Compute, Encoder
from weld_pipeline.nn.video.preprocess import ClipPreprocess
from weld_pipeline.nn.video.trunk import VideoTrunk, restore_trunk

# A clip whose frames have the trunk's small size.
SmallClip = Clip[UInt8[np.ndarray, "h w 3"]]

# Raise it when a code change changes features; it is part of every content key.
FEATURE_VERSION = 3


@dataclass(frozen=True)
class Windows:
    """Which clips of a video the network sees, in training and in use.

    Attributes:
        window: Length of a clip [frames].
        stride: Distance of clip starts [frames].
    """

    window: int
    stride: int
    gate: ArcGate


def feature_key(sha256: str, *, trunk: SavedModel, windows: Windows, compute: Compute) -> str:
    """Return the content key of a video's features: bytes of video and trunk, windows, device and precision."""
    return content_key(
        FEATURE_VERSION,
        sha256,
        trunk.architecture["name"],
        trunk.provenance["fingerprint"],
        asdict(windows),
        [compute.device, compute.precision],
    )


def cropped_clips(path: Path, preprocess: ClipPreprocess, windows: Windows) -> Iterator[SmallClip]:
    """Yield the clips of a video as they are decoded, each frame cropped once to the trunk's small size.

    So a window holds small frames instead of full ones, and overlapping windows share them.
    """

    def crop(frame: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
        return preprocess.crop(torch.from_numpy(frame)[None, None])[0, 0].numpy()

    with Video(path) as video:
        yield from arc_clips(
            video.frames(), gate=windows.gate, window=windows.window, stride=windows.stride, transform=crop
        )


def stacked(clips: Sequence[SmallClip]) -> UInt8[Tensor, "B T h w 3"]:
    """Return clips as one batch."""
    return torch.from_numpy(np.stack([np.stack(clip.frames) for clip in clips]))


def first_clips(paths: Sequence[Path], preprocess: ClipPreprocess, windows: Windows) -> UInt8[Tensor, "B T h w 3"]:
    """Return the first clip of each video that has one.

    Raises:
        WeldError: If no video has one.
    """
    clips = [clip for path in paths for clip in islice(cropped_clips(path, preprocess, windows), 1)]
    if not clips:
        names = ", ".join(path.name for path in paths)
        raise WeldError(
            f"no clip of {windows.window} arc-on frames in {names}; lower video_classifier.windows.window, or look at the arc gate"
        )
    return stacked(clips)


@dataclass(frozen=True)
class FeatureWorkerFactory:
    """Builds the worker once in each process."""

    trunk: SavedModel
    windows: Windows
    compute: Compute
    batch_size: int

    def __call__(self) -> "FeatureWorker":
        trunk = restore_trunk(self.trunk)
        encode = self.compute.encoder(trunk, window=self.windows.window)
        return FeatureWorker(trunk, encode, self.windows, self.batch_size)


@dataclass(frozen=True)
class FeatureWorker:
    """Computes the features of a video from its path; `encode` is the trunk ready for use."""

    trunk: VideoTrunk
    encode: Encoder
    windows: Windows
    batch_size: int

    def __call__(self, path: Path) -> dict[str, np.ndarray]:
        """Return `embedding` [W, D], `logit` [W, K] and `start` [W], the first frame of each clip; W may be 0."""
        clips = cropped_clips(path, self.trunk.preprocess, self.windows)
        none = no_features(self.trunk.embedding_size, self.trunk.head.out_features)
        embeddings, logits = [none["embedding"]], [none["logit"]]
        starts: list[int] = []
        for batch in read_ahead(_batches(clips, self.batch_size)):
            embedding, logit = self.encode(stacked(batch))
            embeddings.append(embedding)
            logits.append(logit)
            starts += [clip.start for clip in batch]
        return {
            "embedding": np.concatenate(embeddings),
            "logit": np.concatenate(logits),
            "start": np.array(starts, dtype=np.int64),
        }


def _batches(clips: Iterator[SmallClip], batch_size: int) -> Iterator[list[SmallClip]]:
    while batch := list(islice(clips, batch_size)):
        yield batch


def no_features(embedding_size: int, n_logits: int) -> dict[str, np.ndarray]:
    """Return the features of a video without a clip."""
    empty = {"embedding": np.empty((0, embedding_size), np.float32), "logit": np.empty((0, n_logits), np.float32)}
    return empty | {"start": np.empty(0, np.int64)}


def check_request(trunk: SavedModel, source: Literal["embedding", "logits"], n_features: int) -> None:
    """Refuse, before any work, the requests that `kept_features` refuses after it."""
    n_logits, embedding_size = trunk.tensors["head.weight"].shape
    kept_features(no_features(embedding_size, n_logits), source, n_features)


def kept_features(
    item: Mapping[str, np.ndarray], source: Literal["embedding", "logits"], n_features: int
) -> Float[np.ndarray, "W F"]:
    """Return the first `n_features` columns of a video's embeddings or logits.

    Raises:
        WeldError: If there are fewer columns.
    """
    values = item["embedding" if source == "embedding" else "logit"]
    if values.shape[1] < n_features:
        raise WeldError(
            f"features.n_features is {n_features}, but the trunk's {source} has {values.shape[1]}; set it to that or less"
        )
    return values[:, :n_features]
