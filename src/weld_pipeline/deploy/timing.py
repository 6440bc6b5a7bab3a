"""How long an image takes from file to verdict, and how long a fresh process takes to its first one."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.anomaly.inspector import WeldDetector
from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.image.inspector import WeldClassifier
from weld_pipeline.runtime.image.verdict import ImageVerdict

Verdict = ImageVerdict | AnomalyVerdict

_PERCENTILES = (50, 90, 99)
# Class of the runtime and its method, of a classifier and of a detector.
_NAMES = {False: ("WeldClassifier", "predict"), True: ("WeldDetector", "inspect")}
_START = """
import json, sys, time
began = time.perf_counter()
from weld_pipeline import runtime
opened = getattr(runtime, sys.argv[3])
imported = time.perf_counter()
judge = getattr(opened(sys.argv[1], n_threads=1), sys.argv[4])
loaded = time.perf_counter()
judge(sys.argv[2])
done = time.perf_counter()
print(json.dumps({"import": imported - began, "load": loaded - imported, "first_verdict": done - loaded,
                  "total": done - began}))
"""


def time_images(
    bundle: Bundle, images: Mapping[str, Path], labels: Mapping[str, str], *, n_threads: int
) -> dict[str, Any]:
    """Return how long single images take and how many were right, as JSON values.

    Classifiers and anomaly detectors alike. The images are judged one by one, as a line does; the first is judged once before the clock runs. With fewer than
    a hundred images the 99th percentile is all but the slowest of them.

    Args:
        bundle: What judges.
        images: Sample id to file.
        labels: Sample id to true class. A detector is right about any class but the good one where it fails it.
        n_threads: Threads of the network; 0 takes one a core. The fresh process uses one.

    Returns:
        `ms`: step to percentile [ms]; `start_s`: step of a fresh process to seconds; `accuracy`: share of the images
        whose class was right; and what they rest on, `n_views` or, of a detector, the median `n_tiles` of an image.

    Raises:
        WeldError: If there is no image, or one cannot be judged.
    """
    if not images:
        raise WeldError("timing: no image to time; choose a split that has some")
    judge = _judge(bundle, n_threads=n_threads)
    first = next(iter(images.values()))
    judge(first)
    verdicts = {sample_id: judge(path) for sample_id, path in images.items()}
    n_right = sum(_is_right(verdict, labels[sample_id], bundle) for sample_id, verdict in verdicts.items())
    return {
        "n_images": len(verdicts),
        "n_threads": n_threads,
        **_looked_at(list(verdicts.values())),
        "ms": {step: _percentiles(list(verdicts.values()), f"{step}_s") for step in ("decode", "network", "total")},
        "start_s": start_up(bundle, first),
        "n_right": n_right,
        "accuracy": n_right / len(verdicts),
    }


def start_up(bundle: Bundle, image: Path) -> dict[str, float]:
    """Return the seconds a fresh process takes to import, to load the bundle and to the first verdict, on one thread.

    The interpreter's own start is not counted.
    """
    command = [sys.executable, "-c", _START, str(bundle.folder), str(image), *_NAMES[_is_detector(bundle)]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WeldError(f"timing: a fresh process gave no verdict on {image} ({last}); try `weld inspect` on it")
    return json.loads(done.stdout)


def _is_detector(bundle: Bundle) -> bool:
    return bundle.description.input.contract == "anomaly_map"


def _judge(bundle: Bundle, *, n_threads: int) -> Callable[[Path], Verdict]:
    if _is_detector(bundle):
        detector = WeldDetector(bundle, n_threads=n_threads)
        # Maps are not kept: there may be ten thousand images.
        return lambda path: detector.inspect(path).without_map()
    return WeldClassifier(bundle, n_threads=n_threads).predict


def _is_right(verdict: Verdict, label: str, bundle: Bundle) -> bool:
    if isinstance(verdict, AnomalyVerdict):
        return (verdict.verdict == "pass") == (label == bundle.description.good_class)
    return verdict.predicted == label


def _looked_at(verdicts: list[Verdict]) -> dict[str, int]:
    first = verdicts[0]
    if isinstance(first, ImageVerdict):
        return {"n_views": first.n_views}
    return {"n_tiles": int(np.median([each.n_tiles for each in verdicts if isinstance(each, AnomalyVerdict)]))}


def _percentiles(verdicts: list[Verdict], step: str) -> dict[str, float]:
    values_ms = [1000 * getattr(verdict.timing, step) for verdict in verdicts]
    return {f"p{percent}": float(np.percentile(values_ms, percent)) for percent in _PERCENTILES}
