"""Our half of `benchmarks.anomalib`: the same jobs as the peer's worker, answered by what the pipeline's nodes call."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.saved_model import read_model, write_model
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.anomaly.graph import AnomalyGraph
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.trunk import MapTrunk, load_map_trunk

_STATISTICS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
# As the pipeline's base configuration has them.
_BUDGET_BYTES, _PROJECTED_DIMS, _BATCH = 2**30, 128, 8
_held: dict[str, Any] = {}


def threads(n: int) -> dict[str, Any]:
    """Let torch use `n` threads, and whatever has threads of its own no more than `n` cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])
    torch.set_num_threads(n)
    return {}


def features(trunk: dict[str, Any], file: str, to: str) -> dict[str, Any]:
    """Write the patch features [P, D] of one image."""
    from weld_pipeline.nn.anomaly.patches import pooled_patches

    preprocess = _preprocess(trunk["image_px"])
    with torch.inference_mode():
        image = preprocess(_square(file, trunk["image_px"]))
        found = pooled_patches(_trunk(trunk), image)
    np.save(to, found[0].numpy())
    return {}


def fit(trunk: dict[str, Any], good: str, n: int, folder: str, seed: int) -> dict[str, Any]:
    """Fit PatchCore on a folder of good images: prepared into a cache, read from it, kept as a model file."""
    from weld_pipeline.nn.anomaly.batches import normalised_batches
    from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
    from weld_pipeline.nn.anomaly.patchcore.model import fit_patchcore, save_patchcore
    from weld_pipeline.nn.anomaly.prepared import MaskedImage, pending_prepared

    start = time.perf_counter()
    preprocess = _preprocess(trunk["image_px"])
    masked = [
        MaskedImage(path.stem, path, sha256_file(path), is_defect=False, mask=None)
        for path in sorted(Path(good).iterdir())
    ]
    pending = pending_prepared(masked, preprocess=preprocess.architecture, tiling=None, n_workers=1)
    images = TensorStore(Path(folder) / "images")
    map_items(pending, images)
    images.commit({item.id: item.key for item in pending.items})
    tiles = GoodTiles(images, [each.sample_id for each in masked], "train")
    detector = fit_patchcore(
        _trunk(trunk),
        normalised_batches(tiles, preprocess, batch_size=_BATCH),
        coreset_size=n,
        budget_bytes=_BUDGET_BYTES,
        projected_dims=_PROJECTED_DIMS,
        seed=seed,
    )
    _held["model"] = Path(folder) / "detector.safetensors"
    write_model(_held["model"], save_patchcore(detector, {"preprocess": preprocess.architecture}))
    return {"seconds": time.perf_counter() - start, "n_bank": len(detector.bank)}


def score(files: list[str], to: str) -> dict[str, Any]:
    """Write scores [N] and maps [N, S, S] of images by the model fitted last."""
    graph, scores, maps = _graph(), [], []
    with torch.inference_mode():
        for file in files:
            one, its_map = graph(_square(file, graph.preprocess.image_px))
            scores.append(float(one))
            maps.append(its_map[0].numpy())
    np.savez(to, scores=np.array(scores), maps=np.stack(maps))
    return {}


def export(folder: str) -> dict[str, Any]:
    """Write the bundle of the model fitted last, any threshold in it."""
    from weld_pipeline.decision.policy import Decision, ScorePolicy
    from weld_pipeline.deploy.bundle import ExportedGraph, candidate, write_bundle
    from weld_pipeline.deploy.description import anomaly_contract
    from weld_pipeline.deploy.onnx_export import export_anomaly_graph
    from weld_pipeline.media.heatmaps import MapRange

    graph = _graph()
    exported = ExportedGraph(
        onnx=export_anomaly_graph(graph),
        classes=["good", "anomalous"],
        good_class="good",
        contract=anomaly_contract(
            graph.preprocess.architecture,
            tiling=None,
            map_range=MapRange(low=0.0, threshold=1.0, high=2.0),
            resizes=False,
        ),
        weights={"name": "benchmark", "source": "file", "sha256": None, "licence": "none", "is_random": False},
    )
    policy = ScorePolicy(
        kind="score",
        threshold=1.0,
        chosen_by="f1",
        unit="image",
        n_good_sessions=None,
        false_reject_rate=None,
        false_reject_rate_95=None,
        calib_f1=None,
        promise="none: a benchmark's",
    )
    contents = candidate(
        exported,
        evaluation={"rates": {}, "baselines": []},
        family="benchmark",
        decision=Decision(calibrator=None, policy=policy),
        manifest=pd.DataFrame(columns=["sample_id", "sha256", "label", "split", "status"]),
        mlflow_run_id=None,
        banners=["BENCHMARK"],
    )
    write_bundle(Path(folder), contents)
    return {"bundle": folder}


def open_inferencer(path: str, n_threads: int, engine: Literal["onnxruntime", "openvino"]) -> dict[str, Any]:
    """Load a bundle."""
    from weld_pipeline.runtime.anomaly.inspector import WeldDetector

    _held["detector"] = WeldDetector(path, n_threads=n_threads, engine=engine)
    return {}


def predict(files: list[str]) -> dict[str, Any]:
    """Judge image files one by one; return the milliseconds of each."""
    milliseconds, scores = [], []
    for file in files:
        start = time.perf_counter()
        scores.append(float(_held["detector"].inspect(file).score))
        milliseconds.append(1000 * (time.perf_counter() - start))
    return {"milliseconds": milliseconds, "scores": scores}


def coreset(points: str, n: int, to: str) -> dict[str, Any]:
    """Choose `n` of the points [N, D]; write their numbers."""
    from weld_pipeline.nn.anomaly.patchcore.coreset import k_center_greedy

    embedding = torch.from_numpy(np.load(points))
    start = time.perf_counter()
    chosen = k_center_greedy(embedding, n, seed=0)
    seconds = time.perf_counter() - start
    np.save(to, chosen.numpy())
    return {"seconds": seconds}


def step(side_px: int, n_steps: int) -> dict[str, Any]:
    """Train EfficientAD-S with random weights on random images; return the milliseconds of each step."""
    from weld_pipeline.nn.anomaly.student_teacher.learner import StudentLearner, StudentSteps
    from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher
    from weld_pipeline.nn.anomaly.student_teacher.teacher import PatchTeacher

    torch.manual_seed(0)
    teacher = PatchTeacher(size="small", n_channels=384, mean=_STATISTICS["mean"], std=_STATISTICS["std"])
    learner = StudentLearner(
        StudentTeacher(image_px=side_px, size="small", teacher=teacher.architecture),
        preprocess=_preprocess(side_px),
        steps=StudentSteps(
            n_steps=1000,
            batch_size=1,
            learning_rate=1e-4,
            weight_decay=1e-5,
            p_hard=0.999,
            steps_per_epoch=1000,
            seed=0,
        ),
    ).train()
    optimizer = learner.configure_optimizers()["optimizer"]
    batch = [torch.randint(0, 256, (1, side_px, side_px, 3), dtype=torch.uint8) for _ in range(2)]
    milliseconds = []
    for number in range(n_steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        learner.training_step(batch, number).backward()
        optimizer.step()
        milliseconds.append(1000 * (time.perf_counter() - start))
    return {"milliseconds": milliseconds}


def memory() -> dict[str, Any]:
    """Return this process's highest resident memory so far [MiB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return {"peak_mib": peak / 1024}


def _preprocess(image_px: int) -> MapPreprocess:
    """Return what the peer does to an image by default: squash it, and neither equalise nor smooth."""
    return MapPreprocess(
        image_px=image_px,
        grey=False,
        clahe_clip=0.0,
        smoothing=False,
        mean=_STATISTICS["mean"],
        std=_STATISTICS["std"],
    )


def _square(file: str, px: int) -> torch.Tensor:
    """Return an image file as the graph is fed it, [1, S, S, 3]."""
    from weld_pipeline.media.images import read_image
    from weld_pipeline.media.resize import resize_to_square

    return torch.from_numpy(resize_to_square(read_image(Path(file)), px, grey=False))[None]


def _trunk(trunk: dict[str, Any]) -> MapTrunk:
    path = Path(trunk["weights"])
    names = {"layers": trunk["layers"], "image_px": trunk["image_px"]}
    return load_map_trunk(trunk["name"], **names, weights=str(path), seed=0, folder=path.parent)[0]


def _graph() -> AnomalyGraph:
    from weld_pipeline.nn.anomaly.patchcore.model import restore_patchcore

    model = read_model(_held["model"])
    return AnomalyGraph(MapPreprocess(**model.provenance["preprocess"]), restore_patchcore(model)).eval()


def serve() -> None:
    """Answer jobs until stdin ends; whatever libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        job = json.loads(line)
        answers.write(json.dumps(globals()[job.pop("task")](**job)) + "\n")


if __name__ == "__main__":
    serve()
