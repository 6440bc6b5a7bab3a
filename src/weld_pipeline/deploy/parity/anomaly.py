"""Anomaly parity: from the file on disk onward, bundle, torch and the predictions must give one verdict, score and map."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from weld_pipeline.deploy.parity.gate import Compare, SampleParity, distance
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image
from weld_pipeline.nn.anomaly.graph import AnomalyGraph
from weld_pipeline.runtime.anomaly.inspector import WeldDetector
from weld_pipeline.runtime.anomaly.verdict import TileMaps
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.contracts import AnomalyInput


def comparison(bundle: Bundle, module: AnomalyGraph, engine: Engine) -> Compare:
    """Return how a detector's bundle on an engine is compared with torch and with the predictions of the pipeline.

    Detectors count in units of their own: `score` and `table_score` are relative to the score's or the threshold's size,
    whichever is larger, and `map` to the range that is coloured. Unlike classes that lead almost alike, no verdict may
    differ from the predictions either.
    """
    detector, reference = WeldDetector(bundle, engine=engine, max_pixels=MAX_PROBED_PIXELS), module.eval().float()
    decision, colours = bundle.description.decision, bundle.fed(AnomalyInput).map_range
    threshold = decision.policy.threshold or 0.0

    def compare(sample_id: str, path: Path, row: Mapping[Any, Any]) -> SampleParity:
        got = detector.inspect(path)
        expected = _torch(reference, path, bundle)
        assert got.tiles is not None  # it was inspected just now
        wanted, _ = decision.decide(score=float(expected.scores.max()), predicted=None)
        scale = max(abs(got.score), abs(threshold))
        flips = []
        if got.verdict != wanted:
            flips.append(
                f"{got.verdict} by the graph and {wanted} by torch, score {got.score:.6g}, {threshold:.6g} fails"
            )
        if got.predicted != row["predicted"]:
            flips.append(f"{got.predicted} by the bundle and {row['predicted']} in the predictions table")
        return SampleParity(
            sample_id=sample_id,
            n_compared=got.n_tiles,
            differences={
                "score": _share(distance(got.tiles.scores, expected.scores), scale),
                "map": _share(distance(got.tiles.levels, expected.levels), colours.high - colours.low),
                "table_score": _share(abs(got.score - float(row["score"])), scale),
                "table_probability": 0.0 if got.p_defect is None else abs(got.p_defect - float(row["p_defect"])),
            },
            flips=tuple(flips),
            table_flips=False,
        )

    return compare


@torch.inference_mode()
def _torch(module: AnomalyGraph, path: Path, bundle: Bundle) -> TileMaps:
    """Return what torch says of an image, cut as the bundle tells."""
    contract = bundle.fed(AnomalyInput)
    image = read_image(path, max_pixels=MAX_PROBED_PIXELS, sample_bits=contract.sample_bits)
    boxes = contract.boxes(*image.shape[:2])
    answers = [module(torch.from_numpy(tile[None])) for tile in contract.fed(image)]
    scores, levels = (torch.cat(parts).numpy() for parts in zip(*answers, strict=True))
    return TileMaps(tuple(boxes), scores, levels)


def _share(difference: float, scale: float) -> float:
    # A score of 0 under a threshold of 0 has no size of its own; then the difference counts as it is.
    return difference / scale if scale else difference
