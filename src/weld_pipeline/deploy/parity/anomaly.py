"""The parity gate for anomaly detectors: from the file on disk onward, bundle, torch and pipeline must say the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.gate import AnomalyTolerances, distance
from weld_pipeline.media.images import read_image
from weld_pipeline.media.tiles import cut
from weld_pipeline.nn.anomaly.graph import AnomalyGraph
from weld_pipeline.runtime.anomaly.inspector import WeldDetector
from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict, TileMaps
from weld_pipeline.runtime.bundle import Bundle

_KEY = "export.anomaly_parity"


@dataclass(frozen=True)
class AnomalyParity:
    """What was found on one image.

    Attributes:
        sample_id: The image.
        n_tiles: Tiles it was looked at in.
        score: The bundle's.
        score_difference: Graph against torch, of any tile, relative to the score or the threshold.
        level_difference: Largest of any map, graph against torch, in shares of the range that is coloured.
        flips: True if graph and torch give another verdict.
        table_score_difference: From the predictions of the pipeline, relative as above.
        table_p_difference: Of `p_defect` from the same; 0 where there is none.
        table_flips: True if the verdict differs from the predictions of the pipeline.
    """

    sample_id: str
    n_tiles: int
    score: float
    score_difference: float
    level_difference: float
    flips: bool
    table_score_difference: float
    table_p_difference: float
    table_flips: bool


def check_anomaly_parity(
    candidate: Bundle,
    module: AnomalyGraph,
    images: Mapping[str, Path],
    table: Mapping[str, Mapping[Any, Any]],
    *,
    tolerances: AnomalyTolerances,
) -> dict[str, Any]:
    """Return how far bundle, torch and predictions differ on some files, as JSON values; all is within tolerance.

    Args:
        candidate: As read from disk.
        module: What was exported, in float32.
        images: Sample id to file, at least one.
        table: Sample id to its row of the pipeline's predictions: `score`, `predicted` and, where calibrated, `p_defect`.
        tolerances: What may differ.

    Raises:
        WeldError: Naming the image and the numbers, if a verdict differs, or a number by more than it may, or if there
            was nothing to compare.
    """
    if not images:
        raise WeldError("parity: no image to compare; choose a split that has some")
    detector, reference = WeldDetector(candidate), module.eval().float()
    found = []
    for sample_id, path in images.items():
        compared = _compare(detector, reference, sample_id, path, table[sample_id])
        _check(compared, tolerances, threshold=candidate.detector_rule.score_threshold)
        found.append(compared)
    return {
        "n_images": len(found),
        "n_tiles": sum(image.n_tiles for image in found),
        "n_verdict_flips": sum(image.flips or image.table_flips for image in found),
        "max_score_difference": max(image.score_difference for image in found),
        "max_level_difference": max(image.level_difference for image in found),
        "table_max_score_difference": max(image.table_score_difference for image in found),
        "table_max_p_difference": max(image.table_p_difference for image in found),
        "tolerances": asdict(tolerances),
        "images": [asdict(image) for image in found],
    }


def _compare(
    detector: WeldDetector, module: AnomalyGraph, sample_id: str, path: Path, row: Mapping[Any, Any]
) -> AnomalyParity:
    rule = detector.bundle.detector_rule
    said = detector.inspect(path)
    expected = _torch(module, path, detector.bundle)
    assert said.tiles is not None  # it was inspected just now
    scale = max(abs(said.score), abs(rule.score_threshold))
    return AnomalyParity(
        sample_id=sample_id,
        n_tiles=said.n_tiles,
        score=said.score,
        score_difference=_share(distance(said.tiles.scores, expected.scores), scale),
        level_difference=_share(_furthest(said.tiles, expected), rule.map_high - rule.map_low),
        flips=(said.verdict == "fail") != (float(expected.scores.max()) >= rule.score_threshold),
        table_score_difference=_share(abs(said.score - float(row["score"])), scale),
        table_p_difference=_p_difference(said, row),
        table_flips=bool(said.predicted != row["predicted"]),
    )


@torch.inference_mode()
def _torch(module: AnomalyGraph, path: Path, bundle: Bundle) -> TileMaps:
    """Return what torch says of an image, cut as the bundle tells."""
    image = read_image(path)
    boxes = bundle.detector.boxes(*image.shape[:2])
    answers = [module(torch.from_numpy(tile[None])) for tile in cut(image, boxes)]
    scores, levels = (torch.cat(parts).numpy() for parts in zip(*answers, strict=True))
    return TileMaps(tuple(boxes), scores, levels)


def _furthest(got: TileMaps, expected: TileMaps) -> float:
    return float(np.abs(got.levels - expected.levels).max())


def _share(difference: float, scale: float) -> float:
    # A score of 0 under a threshold of 0 has no size of its own; then the difference counts as it is.
    return difference / scale if scale else difference


def _p_difference(said: AnomalyVerdict, row: Mapping[Any, Any]) -> float:
    return 0.0 if said.p_defect is None else abs(said.p_defect - float(row["p_defect"]))


def _check(found: AnomalyParity, tolerances: AnomalyTolerances, *, threshold: float) -> None:
    start = f"parity: image {found.sample_id}: "
    end = f"; nothing was released: look at the export of this detector, or widen {_KEY} with a reason"
    for what, flips in (("torch", found.flips), ("the predictions table", found.table_flips)):
        if flips:
            raise WeldError(
                f"{start}the bundle and {what} give another verdict (score {found.score:.6g}, threshold {threshold:.6g}, "
                f"scores differ by {found.score_difference:.2g} and {found.table_score_difference:.2g}); nothing was "
                "released: look at the export of this detector, or put the threshold between two scores"
            )
    # `not a <= b` also refuses NaN.
    for what, value, allowed in (
        ("scores of graph and torch differ", found.score_difference, tolerances.score),
        ("maps of graph and torch differ", found.level_difference, tolerances.level),
        ("score differs from the predictions table", found.table_score_difference, tolerances.table_score),
        ("p_defect differs from the predictions table", found.table_p_difference, tolerances.table_p),
    ):
        if not value <= allowed:
            raise WeldError(f"{start}{what} by {value:.2g}, over {allowed:g}{end}")
