"""Timing: how long an input takes from file to verdict, and how long a fresh process takes to its first one."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.open import open_inspector
from weld_pipeline.runtime.verdicts import Inspected

_PERCENTILES = (50, 90, 99)
_START = """
import json, sys, time
began = time.perf_counter()
from weld_pipeline import runtime
opened = runtime.open_inspector
imported = time.perf_counter()
inspector = opened(sys.argv[1], n_threads=1)
loaded = time.perf_counter()
inspector.inspect(sys.argv[2])
done = time.perf_counter()
print(json.dumps({"import": imported - began, "load": loaded - imported, "first_verdict": done - loaded,
                  "total": done - began}))
"""


def time_samples(
    bundle: Bundle, samples: Mapping[str, Path], labels: Mapping[str, str], *, n_threads: int
) -> dict[str, Any]:
    """Return how long single inputs take and how many were right, as JSON values.

    They are judged one by one, as a line does; the first is judged once before the clock runs. With fewer than a hundred
    the 99th percentile is all but the slowest of them.

    Args:
        labels: Sample id to true class. To a detector every class but the good one is anomalous.
        n_threads: Threads of the network; 0 takes one a core. The fresh process uses one.

    Returns:
        `ms`: step to percentile [ms]; `start_s`: step of a fresh process to seconds; `accuracy`: share of the inputs
        whose class was right; `n_parts`: median of the clips, views or tiles that were looked at.

    Raises:
        WeldError: If there is no sample, or one cannot be judged.
    """
    if not samples:
        raise WeldError("timing: no sample to time; choose a split that has some")
    inspector = open_inspector(bundle, n_threads=n_threads)
    first = next(iter(samples.values()))
    inspector.inspect(first)
    # Maps and pixels are not kept: there may be ten thousand images.
    verdicts = {sample_id: inspector.inspect(path).compact() for sample_id, path in samples.items()}
    n_right = sum(_is_right(verdict, labels[sample_id], bundle) for sample_id, verdict in verdicts.items())
    return {
        "n_samples": len(verdicts),
        "n_threads": n_threads,
        "n_parts": int(np.median([verdict.n_parts for verdict in verdicts.values()])),
        "ms": {step: _percentiles(list(verdicts.values()), f"{step}_s") for step in ("decode", "network", "total")},
        "start_s": start_up(bundle, first),
        "n_right": n_right,
        "accuracy": n_right / len(verdicts),
    }


def start_up(bundle: Bundle, sample: Path) -> dict[str, float]:
    """Return the seconds a fresh process takes to import, to load the bundle and to the first verdict, on one thread.

    The interpreter's own start is not counted.
    """
    command = [sys.executable, "-c", _START, str(bundle.folder), str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WeldError(f"timing: a fresh process gave no verdict on {sample} ({last}); try `weld inspect` on it")
    return json.loads(done.stdout)


def _is_right(verdict: Inspected, label: str, bundle: Bundle) -> bool:
    return verdict.predicted == (label if label in bundle.description.classes else ANOMALOUS)


def _percentiles(verdicts: list[Inspected], step: str) -> dict[str, float]:
    values_ms = [1000 * getattr(verdict.timing, step) for verdict in verdicts]
    return {f"p{percent}": float(np.percentile(values_ms, percent)) for percent in _PERCENTILES}
