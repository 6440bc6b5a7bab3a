"""How long a picture takes from file to verdict, and how long a fresh process takes to its first one."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.picture_verdict import PictureVerdict
from weld_pipeline.runtime.pictures import WeldClassifier

_PERCENTILES = (50, 90, 99)
_START = """
import json, sys, time
began = time.perf_counter()
from weld_pipeline.runtime import WeldClassifier
imported = time.perf_counter()
classifier = WeldClassifier(sys.argv[1], n_threads=1)
loaded = time.perf_counter()
classifier.predict(sys.argv[2])
done = time.perf_counter()
print(json.dumps({"import": imported - began, "load": loaded - imported, "first_verdict": done - loaded,
                  "total": done - began}))
"""


def time_pictures(
    bundle: Bundle, pictures: Mapping[str, Path], labels: Mapping[str, str], *, n_threads: int
) -> dict[str, Any]:
    """Return how long single pictures take and how many were right, as JSON values.

    The pictures are judged one by one, as a line does; the first is judged once before the clock runs. With fewer than
    a hundred pictures the 99th percentile is all but the slowest of them.

    Args:
        bundle: What judges.
        pictures: Sample id to file.
        labels: Sample id to true class.
        n_threads: Threads of the network; 0 takes one a core. The fresh process uses one.

    Returns:
        `ms`: step to percentile [ms]; `start_s`: step of a fresh process to seconds; `accuracy`: share of the pictures
        whose class was right; and what they rest on.

    Raises:
        WeldError: If there is no picture, or one cannot be judged.
    """
    if not pictures:
        raise WeldError("timing: no picture to time; choose a split that has some")
    classifier = WeldClassifier(bundle, n_threads=n_threads)
    first = next(iter(pictures.values()))
    classifier.predict(first)
    verdicts = {sample_id: classifier.predict(path) for sample_id, path in pictures.items()}
    n_right = sum(verdict.predicted == labels[sample_id] for sample_id, verdict in verdicts.items())
    return {
        "n_pictures": len(verdicts),
        "n_threads": n_threads,
        "n_views": next(iter(verdicts.values())).n_views,
        "ms": {step: _percentiles(list(verdicts.values()), f"{step}_s") for step in ("decode", "network", "total")},
        "start_s": start_up(bundle.folder, first),
        "n_right": n_right,
        "accuracy": n_right / len(verdicts),
    }


def start_up(bundle: Path, picture: Path) -> dict[str, float]:
    """Return the seconds a fresh process takes to import, to load the bundle and to the first verdict, on one thread.

    The interpreter's own start is not counted.
    """
    command = [sys.executable, "-c", _START, str(bundle), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WeldError(f"timing: a fresh process gave no verdict on {picture} ({last}); try `weld inspect` on it")
    return json.loads(done.stdout)


def _percentiles(verdicts: list[PictureVerdict], step: str) -> dict[str, float]:
    values_ms = [1000 * getattr(verdict.timing, step) for verdict in verdicts]
    return {f"p{percent}": float(np.percentile(values_ms, percent)) for percent in _PERCENTILES}
