"""Parity gate: on every engine the bundle on disk and torch must say the same of the same files, or nothing is released."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from weld_pipeline.core.errors import WeldError
from weld_pipeline.engines.session import Engine


@dataclass(frozen=True)
class SampleParity:
    """What was found on one sample.

    Attributes:
        n_compared: Answers that were compared: clips, ways to look, or tiles.
        differences: Name to the largest difference of two ways to the same number; a tolerance bears the same name.
        flips: Sentences on every class or verdict that is another and may not be.
        table_flips: True if the class differs from the predictions of the pipeline though every number is within
            tolerance, as where two classes lead almost alike.
    """

    sample_id: str
    n_compared: int
    differences: Mapping[str, float]
    flips: tuple[str, ...]
    table_flips: bool


# How a family compares bundle, torch and the predictions of the pipeline: sample id, file and its row of the predictions.
Compare = Callable[[str, Path, Mapping[Any, Any]], SampleParity]


def check_parity(
    comparison: Callable[[Engine], Compare],
    samples: Mapping[str, Path],
    table: Mapping[str, Mapping[Any, Any]],
    *,
    engines: Sequence[Engine],
    tolerances: Mapping[str, float],
) -> dict[str, Any]:
    """Return how far bundle, torch and predictions differ on some files, as JSON values; all is within tolerance.

    Args:
        comparison: Opens the bundle on an engine and returns how the family compares.
        samples: Sample id to file, at least one.
        table: Sample id to its row of the pipeline's predictions.
        tolerances: Name of each difference to the largest that may be.

    Raises:
        WeldError: Naming engine, sample and numbers, if a class or verdict differs, or a number by more than it may, or
            if there was nothing to compare.
    """
    found = {engine: _checked(comparison(engine), samples, table, tolerances, engine) for engine in engines}
    return {
        "n_samples": len(samples),
        "tolerances": dict(tolerances),
        "engines": {engine: _summary(compared) for engine, compared in found.items()},
        "samples": {engine: [asdict(each) for each in compared] for engine, compared in found.items()},
    }


def _checked(
    compare: Compare,
    samples: Mapping[str, Path],
    table: Mapping[str, Mapping[Any, Any]],
    tolerances: Mapping[str, float],
    engine: Engine,
) -> list[SampleParity]:
    found = []
    for sample_id, path in samples.items():
        compared = compare(sample_id, path, table[sample_id])
        _check(compared, tolerances, engine)
        found.append(compared)
    if not sum(each.n_compared for each in found):
        raise WeldError(
            f"parity on {engine}: nothing to compare in {list(samples) or 'an empty split'}; choose samples that show a weld"
        )
    return found


def _check(found: SampleParity, tolerances: Mapping[str, float], engine: Engine) -> None:
    start, end = f"parity on {engine}: {found.sample_id}: ", "; nothing was released: look at the export of this model"
    if found.differences.keys() != tolerances.keys():
        raise WeldError(f"{start}tolerances are given for {sorted(tolerances)}, needed for {sorted(found.differences)}")
    if found.flips:
        numbers = ", ".join(f"{name} {value:.2g}" for name, value in found.differences.items())
        raise WeldError(f"{start}{found.flips[0]} (differences: {numbers}){end}")
    for name, value in found.differences.items():
        if not value <= tolerances[name]:  # `not a <= b` also refuses NaN
            raise WeldError(
                f"{start}{name.replace('_', ' ')} differs by {value:.2g}, over {tolerances[name]:g}{end}, or widen the "
                "tolerance with a reason"
            )


def _summary(found: Sequence[SampleParity]) -> dict[str, Any]:
    names = found[0].differences
    return {
        "n_compared": sum(each.n_compared for each in found),
        "n_table_flips": sum(each.table_flips for each in found),
        "max_difference": {name: max(each.differences[name] for each in found) for name in names},
    }


def distance(a: Float[np.ndarray, "*K"], b: Float[np.ndarray, "*K"]) -> float:
    """Return the largest difference of two arrays of numbers."""
    return float(np.abs(a - b).max())


def relative(got: float, wanted: float) -> float:
    """Return a difference relative to the size of what is wanted, or to 1."""
    return abs(got - wanted) / max(1.0, abs(wanted))
