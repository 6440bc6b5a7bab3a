"""The parity gate: the bundle on disk and torch must say the same of the same files, or nothing is released."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.gate import Tolerances, check_within, distance, relative
from weld_pipeline.media.clips import Clip
from weld_pipeline.media.decode import Video
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.video.graph import OUTPUTS
from weld_pipeline.runtime.video.inspector import VideoInspector
from weld_pipeline.runtime.video.verdict import ClipResult, Decision

Frame = UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True)
class VideoParity:
    """What was found on one video.

    Attributes:
        sample_id: The video.
        n_clips: Clips it has, all seen by the graph.
        n_clips_compared: Clips also seen by torch, after each of which the whole state was compared.
        max_p_difference: Largest difference of a probability, graph against torch.
        max_score_difference: Largest relative difference of score and anomaly, graph against torch.
        n_label_flips: Clips, or runs so far, to which graph and torch gave another class or verdict.
        table_max_p_difference: Largest difference of a probability from the predictions of the pipeline.
        table_flips: True if the class differs from the predictions of the pipeline.
        table_margin: By how much the pipeline's first class leads its second.
    """

    sample_id: str
    n_clips: int
    n_clips_compared: int
    max_p_difference: float
    max_score_difference: float
    n_label_flips: int
    table_max_p_difference: float
    table_flips: bool
    table_margin: float


@dataclass
class _Differences:
    p: float = 0.0
    score: float = 0.0
    n_flips: int = 0


def check_parity(
    bundle: Bundle,
    module: nn.Module,
    videos: Mapping[str, Path],
    table: Mapping[str, Mapping[Any, Any]],
    *,
    n_clips: int,
    tolerances: Tolerances,
) -> dict[str, Any]:
    """Return how far bundle and torch differ on some files, as JSON values; every number is within tolerance.

    Args:
        bundle: As read from disk.
        module: What was exported, in float32.
        videos: Sample id to file, at least one with the arc on.
        table: Sample id to its row of the pipeline's predictions.
        n_clips: Clips a video that torch sees too; the graph sees all.
        tolerances: What may differ.

    Raises:
        WeldError: Naming the video and the numbers, if they differ by more, or if there was nothing to compare.
    """
    inspector = VideoInspector(bundle)
    reference = module.eval().float()
    found = [
        _compare_video(inspector, reference, sample_id, path, table[sample_id], n_clips=n_clips)
        for sample_id, path in videos.items()
    ]
    if not sum(video.n_clips_compared for video in found):
        raise WeldError(
            f"parity: no clip in {list(videos) or 'an empty list of videos'}; choose videos with the arc on"
        )
    for video in found:
        check_within(
            tolerances,
            name=f"video {video.sample_id}",
            key="export.parity",
            n_label_flips=video.n_label_flips,
            p=video.max_p_difference,
            score=video.max_score_difference,
            table_p=video.table_max_p_difference,
        )
    return {
        "n_videos": len(found),
        "n_clips_compared": sum(video.n_clips_compared for video in found),
        "n_label_flips": sum(video.n_label_flips for video in found),
        "max_p_difference": max(video.max_p_difference for video in found),
        "max_score_difference": max(video.max_score_difference for video in found),
        "n_table_flips": sum(video.table_flips for video in found),
        "table_max_p_difference": max(video.table_max_p_difference for video in found),
        "tolerances": asdict(tolerances),
        "videos": [asdict(video) for video in found],
    }


def _compare_video(
    inspector: VideoInspector,
    module: nn.Module,
    sample_id: str,
    path: Path,
    row: Mapping[Any, Any],
    *,
    n_clips: int,
) -> VideoParity:
    classes = inspector.bundle.description.classes
    state = (torch.zeros(inspector.bundle.video.latent_size), torch.zeros(1), torch.zeros(1))
    differences = _Differences()
    with Video(path) as video:
        inspection = inspector.begin(fps=video.fps)
        for index, clip in enumerate(inspector.clips(video.frames())):
            result = inspection.add(clip)
            if index < n_clips:
                expected = _torch_step(module, clip, state)
                state = (expected["latent_sum_out"], expected["anomaly_sum_out"], expected["n_clips_out"])
                _note(differences, result, inspection.decision(), expected, classes)
    final = inspection.decision()
    if final.probabilities is None or final.p_defect is None:
        raise WeldError(f"parity: video {sample_id} has no clip; choose videos with the arc on")
    said = np.array([row[f"p_{name}"] for name in classes])
    second, first = np.sort(said)[-2:]
    apart = np.abs(said - np.array(list(final.probabilities.values()))).max()
    return VideoParity(
        sample_id=sample_id,
        n_clips=inspection.n_clips,
        n_clips_compared=min(n_clips, inspection.n_clips),
        max_p_difference=differences.p,
        max_score_difference=differences.score,
        n_label_flips=differences.n_flips,
        table_max_p_difference=float(max(apart, abs(row["p_defect"] - final.p_defect))),
        table_flips=bool(row["predicted"] != final.predicted),
        table_margin=float(first - second),
    )


@torch.inference_mode()
def _torch_step(
    module: nn.Module, clip: Clip[Frame], state: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> dict[str, torch.Tensor]:
    frames = torch.from_numpy(np.stack(clip.frames)[None])
    return dict(zip(OUTPUTS, module(frames, *state), strict=True))


def _note(
    differences: _Differences,
    result: ClipResult,
    so_far: Decision,
    expected: Mapping[str, torch.Tensor],
    classes: Sequence[str],
) -> None:
    """Take the differences of one clip, and of the run so far, into account."""
    assert so_far.probabilities is not None  # a clip was added just now
    clip_p = np.array(list(result.probabilities.values()))
    run_p = np.array([*so_far.probabilities.values(), so_far.p_defect])
    expected_clip_p = expected["clip_probabilities"][0].numpy()
    expected_run_p = torch.cat([expected["probabilities"], expected["p_defect"]]).numpy()
    differences.p = max(differences.p, distance(clip_p, expected_clip_p), distance(run_p, expected_run_p))
    for got, wanted in (
        (result.anomaly, expected["clip_anomaly"][0]),
        (so_far.anomaly, expected["anomaly"][0]),
        (so_far.score, expected["score"][0]),
    ):
        assert got is not None
        differences.score = max(differences.score, relative(got, float(wanted)))
    differences.n_flips += result.predicted != classes[int(expected_clip_p.argmax())]
    differences.n_flips += so_far.predicted != classes[int(expected_run_p[:-1].argmax())]
    differences.n_flips += (so_far.verdict == "fail") != (float(expected["p_defect"][0]) >= so_far.threshold)
