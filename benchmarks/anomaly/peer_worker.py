"""The peer's half of `benchmarks.anomalib`: jobs on stdin, answers on stdout, one JSON object a line.

Runs in the peer's own environment, so it imports nothing of ours. Every job names a function below and its arguments;
times are taken here, around the peer's own calls, so that neither start nor imports are counted.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

_held: dict[str, Any] = {}


def threads(n: int) -> dict[str, Any]:
    """Let torch use `n` threads, and whatever has threads of its own no more than `n` cores."""
    import anomalib

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])
    torch.set_num_threads(n)
    return {"version": anomalib.__version__}


def features(trunk: dict[str, Any], file: str, to: str) -> dict[str, Any]:
    """Write the patch features [P, D] of one image."""
    model = _model(trunk, ratio=0.5)
    with torch.inference_mode():
        maps = model.model.feature_extractor(_prepared(model, file))
        pooled = {layer: model.model.feature_pooler(each) for layer, each in maps.items()}
        embedding = model.model.generate_embedding(pooled)
    np.save(to, model.model.reshape_embedding(embedding).numpy())
    return {}


def fit(*, trunk: dict[str, Any], good: str, ratio: float, folder: str, n_workers: int, seed: int) -> dict[str, Any]:
    """Fit PatchCore on a folder of good images with the peer's engine, which writes its checkpoint."""
    from anomalib.data import Folder
    from anomalib.engine import Engine

    start = time.perf_counter()
    data = Folder(
        name="goods",
        root=good,
        normal_dir=".",
        test_split_mode="none",
        val_split_mode="none",
        num_workers=n_workers,
        seed=seed,
    )
    _held["model"] = model = _model(trunk, ratio=ratio)
    torch.manual_seed(seed)
    engine = Engine(
        default_root_dir=folder,
        accelerator="cpu",
        devices=1,
        limit_val_batches=0,
        logger=False,
        enable_progress_bar=False,
    )
    engine.fit(model=model, datamodule=data)
    seconds = time.perf_counter() - start
    checkpoints = [str(path) for path in Path(folder).rglob("*.ckpt")]
    return {"seconds": seconds, "checkpoints": checkpoints, "n_bank": len(model.model.memory_bank)}


def score(files: list[str], to: str) -> dict[str, Any]:
    """Write scores [N] and maps [N, S, S] of images by the model fitted last, as they leave its network.

    Before its post-processing, which cuts them to [0, 1] and could only cost it.
    """
    model = _held["model"].eval()
    scores, maps = [], []
    with torch.inference_mode():
        for file in files:
            found = model.model(_prepared(model, file))
            scores.append(float(found.pred_score))
            maps.append(found.anomaly_map[0, 0].numpy())
    np.savez(to, scores=np.array(scores), maps=np.stack(maps))
    return {}


def export(folder: str) -> dict[str, Any]:
    """Export the model fitted last for both inferencers, one image of any size in.

    By default 2.7.0 fixes the batch at 2 for such a trunk, and its own inferencer refuses one image; so it is fixed at 1.
    """
    model = _held["model"].eval()
    sizes = {"dynamic_axes": {"input": {2: "height", 3: "width"}}}
    return {"torch": str(model.to_torch(folder)), "openvino": str(model.to_openvino(folder, onnx_kwargs=sizes))}


def open_inferencer(kind: str, path: str, n_threads: int) -> dict[str, Any]:
    """Load an exported model."""
    from anomalib.deploy import OpenVINOInferencer, TorchInferencer

    os.environ["TRUST_REMOTE_CODE"] = "1"  # the file is of our own making
    if kind == "torch":
        _held[kind] = TorchInferencer(path, device="cpu")
    else:
        os.chdir(Path(path).parent)  # it writes a cache into the working folder
        _held[kind] = OpenVINOInferencer(path, device="CPU", config={"INFERENCE_NUM_THREADS": n_threads})
    return {}


def predict(kind: str, files: list[str]) -> dict[str, Any]:
    """Score image files one by one; return the milliseconds of each."""
    milliseconds, scores = [], []
    with torch.inference_mode() if kind == "torch" else contextlib.nullcontext():
        for file in files:
            start = time.perf_counter()
            found = _held[kind].predict(file)
            scores.append(float(np.asarray(found.pred_score).ravel()[0]))
            milliseconds.append(1000 * (time.perf_counter() - start))
    return {"milliseconds": milliseconds, "scores": scores}


def coreset(points: str, n: int, to: str) -> dict[str, Any]:
    """Choose `n` of the points [N, D]; write their numbers."""
    from anomalib.models.components import KCenterGreedy

    embedding = torch.from_numpy(np.load(points))
    torch.manual_seed(0)
    sampler = KCenterGreedy(embedding, sampling_ratio=(n + 0.5) / len(embedding))
    start = time.perf_counter()
    chosen = sampler.select_coreset_idxs()
    seconds = time.perf_counter() - start
    np.save(to, np.array(chosen))
    return {"seconds": seconds}


def step(side_px: int, n_steps: int) -> dict[str, Any]:
    """Train EfficientAD-S with random weights on random images; return the milliseconds of each step."""
    from anomalib.models.image.efficient_ad.torch_model import EfficientAdModel

    torch.manual_seed(0)
    model = EfficientAdModel(teacher_out_channels=384, model_size="small", padding=False, pad_maps=True).train()
    learnt = [*model.student.parameters(), *model.ae.parameters()]
    optimizer = torch.optim.Adam(learnt, lr=1e-4, weight_decay=1e-5)
    image, other = torch.rand(1, 3, side_px, side_px), torch.rand(1, 3, side_px, side_px)
    milliseconds = []
    for _ in range(n_steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        sum(model(batch=image, batch_imagenet=other)).backward()
        optimizer.step()
        milliseconds.append(1000 * (time.perf_counter() - start))
    return {"milliseconds": milliseconds}


def memory() -> dict[str, Any]:
    """Return this process's highest resident memory so far [MiB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return {"peak_mib": peak / 1024}


def _model(trunk: dict[str, Any], *, ratio: float) -> Any:
    from anomalib.models import Patchcore

    model = Patchcore(
        backbone=trunk["name"],
        layers=trunk["layers"],
        pre_trained=False,
        coreset_sampling_ratio=ratio,
        num_neighbors=9,
        pre_processor=Patchcore.configure_pre_processor((trunk["image_px"], trunk["image_px"])),
        evaluator=False,
        visualizer=False,
    )
    network = model.model.feature_extractor.feature_extractor
    tensors = load_file(trunk["weights"])
    network.load_state_dict({key: tensors[key] for key in network.state_dict()})
    return model


def _prepared(model: Any, file: str) -> torch.Tensor:
    from anomalib.data.utils import read_image

    prepared: torch.Tensor = model.pre_processor.transform(read_image(file, as_tensor=True))[None]
    return prepared


def serve() -> None:
    """Answer jobs until stdin ends; whatever libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        job = json.loads(line)
        answers.write(json.dumps(globals()[job.pop("task")](**job)) + "\n")


if __name__ == "__main__":
    serve()
