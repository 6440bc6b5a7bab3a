"""Video parity: after every clip, and of the run so far, bundle and torch must say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.gate import Compare, SampleParity, distance, relative
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.clips import Clip
from weld_pipeline.media.decode import Video
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.contracts import ClipsInput
from weld_pipeline.runtime.video.graph import OUTPUTS
from weld_pipeline.runtime.video.inspector import VideoInspector
from weld_pipeline.runtime.video.verdict import ClipResult, RunVerdict

Frame = UInt8[np.ndarray, "H W 3"]
State = tuple[Tensor, Tensor, Tensor]


@dataclass
class _Differences:
    probability: float = 0.0
    score: float = 0.0
    flips: list[str] = field(default_factory=list)


def comparison(bundle: Bundle, module: nn.Module, engine: Engine, *, n_parts: int | None = None) -> Compare:
    """Return how a video bundle on an engine is compared with torch and with the predictions of the pipeline.

    The graph sees all clips of a video. `probability` is the largest difference of any probability of a clip or of the run,
    `score` that of score and anomaly relative to their size or 1, `table_probability` that from the predictions, whose
    features may be bfloat16.

    Args:
        n_parts: Clips a video that torch sees too, after each of which everything is compared; None for all.
    """
    inspector = VideoInspector(bundle, engine=engine)
    reference = module.eval().float()

    def compare(sample_id: str, path: Path, row: Mapping[Any, Any]) -> SampleParity:
        classes = bundle.description.classes
        state: State = (torch.zeros(bundle.fed(ClipsInput).latent_size), torch.zeros(1), torch.zeros(1))
        differences = _Differences()
        with Video(path) as video:
            inspection = inspector.begin()
            for index, clip in enumerate(inspector.clips(video.frames())):
                result = inspection.add(clip)
                if n_parts is None or index < n_parts:
                    expected = _torch_step(reference, clip, state)
                    state = (expected["latent_sum_out"], expected["anomaly_sum_out"], expected["n_clips_out"])
                    _note(differences, bundle, result, inspection.verdict(), expected)
        final = inspection.verdict()
        if final.probabilities is None:
            raise WeldError(f"parity: video {sample_id} has no clip; choose videos with the arc on")
        table = np.array([row[f"p_{name}"] for name in classes])
        p_defect = 0.0 if final.p_defect is None else abs(row["p_defect"] - final.p_defect)
        apart = distance(table, np.array(list(final.probabilities.values())))
        return SampleParity(
            sample_id=sample_id,
            n_compared=min(n_parts or inspection.n_clips, inspection.n_clips),
            differences={
                "probability": differences.probability,
                "score": differences.score,
                "table_probability": float(max(apart, p_defect)),
            },
            flips=tuple(differences.flips),
            table_flips=bool(row["predicted"] != final.predicted),
        )

    return compare


@torch.inference_mode()
def _torch_step(module: nn.Module, clip: Clip[Frame], state: State) -> dict[str, Tensor]:
    frames = torch.from_numpy(np.stack(clip.frames)[None])
    return dict(zip(OUTPUTS, module(frames, *state), strict=True))


def _note(
    differences: _Differences, bundle: Bundle, result: ClipResult, so_far: RunVerdict, expected: Mapping[str, Tensor]
) -> None:
    """Take the differences of one clip, and of the run so far, into account."""
    description = bundle.description
    assert so_far.probabilities is not None  # a clip was added just now
    clip_p, run_p = (expected[name].numpy().reshape(-1) for name in ("clip_probabilities", "probabilities"))
    score = float(expected["score"][0])
    verdict, _ = description.decision.decide(score=score, predicted=_first(description.classes, run_p))
    differences.probability = max(
        differences.probability,
        distance(np.array(list(result.probabilities.values())), clip_p),
        distance(np.array(list(so_far.probabilities.values())), run_p),
    )
    for got, wanted in (
        (result.anomaly, expected["clip_anomaly"][0]),
        (so_far.anomaly, expected["anomaly"][0]),
        (so_far.score, score),
    ):
        assert got is not None
        differences.score = max(differences.score, relative(got, float(wanted)))
    for what, got_word, wanted_word in (
        ("class of a clip", result.predicted, _first(description.classes, clip_p)),
        ("class of the run", so_far.predicted, _first(description.classes, run_p)),
        ("verdict", so_far.verdict, verdict),
    ):
        if got_word != wanted_word:
            differences.flips.append(f"{what} is {got_word} by the graph and {wanted_word} by torch")


def _first(classes: Sequence[str], probabilities: np.ndarray) -> str:
    return classes[int(probabilities.argmax())]
