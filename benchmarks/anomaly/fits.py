"""PatchCore of both sides on the same images: what it finds, its fit, its inference and its memory."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._workers import Worker
from benchmarks.anomaly.metrics import aupro, image_auroc, pixel_auroc
from benchmarks.anomaly.rows import IMAGE_PX, Setting
from benchmarks.anomaly.sets import ImageSet, many_images, masks
from benchmarks.common import Row, row
from weld_pipeline.core.errors import WeldError

_NOT_BELOW = 0.005  # of a metric
# The peer squashes in float, ours rounds to levels first, which on dark frames is 6 % of the features.
_MAX_FEATURE_DIFFERENCE = 0.1
_N_SINGLES, _BLOCK = 40, 10
_SEEDS = 3
# Few, so that the peer ends within minutes: its memory does not follow them.
_N_CENTRES_OF_MANY = 100


def fit_rows(setting: Setting) -> list[Row]:
    """Return, set by set, metrics, time of the fit, and time of an image through what each side ships."""
    rows = []
    for each in setting.sets:
        with setting.both() as (ours, peer):
            n_patches = _check_same(setting, each, ours, peer)
            found = [*_fits(setting, each, ours, peer, n_patches=n_patches), *_singles(setting, each, ours, peer)]
        for one in found:  # at once: a set takes minutes
            print(f"{one.name}: {one.ours} against {one.peer} {one.unit}, {one.ratio}×", flush=True)
        rows += found
    return rows


def _check_same(setting: Setting, images: ImageSet, ours: Worker, peer: Worker) -> int:
    """Return the number of patches of an image, once both sides have described one alike."""
    image = next(iter(sorted(images.good.iterdir())))
    found = []
    for name, worker in (("ours", ours), ("peer", peer)):
        file = setting.folder / f"{name}_features.npy"
        worker.ask("features", trunk=setting.trunk, file=image, to=file)
        found.append(np.load(file))
    difference = float(np.linalg.norm(found[0] - found[1]) / np.linalg.norm(found[1]))
    if found[0].shape != found[1].shape or difference > _MAX_FEATURE_DIFFERENCE:
        raise WeldError(
            f"{images.name}: features {found[0].shape} and {found[1].shape} differ by {difference:.2f} of their norm; "
            "the two do not see the same, and nothing else can be compared"
        )
    return len(found[1])


def _fits(setting: Setting, images: ImageSet, ours: Worker, peer: Worker, *, n_patches: int) -> list[Row]:
    """Return mean metrics and median time of some fits; a coreset begins anywhere, so one seed says little."""
    n = min(setting.n_centres, images.n_good * n_patches)
    common = {"trunk": setting.trunk, "good": images.good}
    ratio = (n + 0.5) / (images.n_good * n_patches)
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    judged: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
    for seed in range(1 if setting.is_quick else _SEEDS):
        folder = setting.folder / f"{images.name}_{seed}"
        for name, worker, asked in (("ours", ours, {"n": n}), ("peer", peer, {"ratio": ratio, "n_workers": 0})):
            answer = worker.ask("fit", **common, **asked, seed=seed, folder=folder / name)
            if answer["n_bank"] != n:
                raise WeldError(f"{images.name}: {name} kept {answer['n_bank']} centres instead of {n}")
            seconds[name].append(answer["seconds"])
            judged[name].append(_judge(setting, images, worker, name))
    of_ours, of_peer = (pd.DataFrame(judged[name]).mean() for name in ("ours", "peer"))
    metrics = [
        row(
            f"{images.name}: {metric} of {len(images.tested)} images, mean of {len(seconds['ours'])} seed(s)",
            ours=float(of_ours[metric]),
            peer=float(of_peer[metric]),
            unit="",
            target=round(1 - _NOT_BELOW / float(of_peer[metric]), 4),
            better="higher",
        )
        for metric in of_ours.index
    ]
    what = f"{images.name}: fit {images.n_good} files to saved model, {n} centres"
    times = {name: statistics.median(each) for name, each in seconds.items()}
    return [*metrics, row(what, ours=times["ours"], peer=times["peer"], unit="s", target=3.0)]


def _judge(setting: Setting, images: ImageSet, worker: Worker, name: str) -> dict[str, float]:
    is_defect = np.array([each.is_defect for each in images.tested])
    file = setting.folder / f"{name}_maps.npz"
    worker.ask("score", files=[each.file for each in images.tested], to=file)
    found = np.load(file)
    values = {"image AUROC": image_auroc(found["scores"], is_defect)}
    if not images.has_masks:
        return values
    marked = masks(images.tested, side_px=IMAGE_PX)
    return values | {"pixel AUROC": pixel_auroc(found["maps"], marked), "AUPRO": aupro(found["maps"], marked)}


def _singles(setting: Setting, images: ImageSet, ours: Worker, peer: Worker) -> list[Row]:
    """Return the median times of one file to its score, in blocks by turns; each has a process of its own."""
    paths = peer.ask("export", folder=setting.folder / f"{images.name}_export")
    bundle = ours.ask("export", folder=setting.folder / f"{images.name}_bundle")
    files = [each.file for each in images.tested]
    with setting.ours() as detector, setting.ours() as fast, setting.theirs() as plain, setting.theirs() as compiled:
        for worker, engine in ((detector, "onnxruntime"), (fast, "openvino")):
            worker.ask("open_inferencer", path=bundle["bundle"], n_threads=setting.n_threads, engine=engine)
        plain.ask("open_inferencer", kind="torch", path=paths["torch"], n_threads=setting.n_threads)
        compiled.ask("open_inferencer", kind="openvino", path=paths["openvino"], n_threads=setting.n_threads)
        sides: list[tuple[Worker, dict[str, Any]]] = [
            (detector, {}),
            (fast, {}),
            (plain, {"kind": "torch"}),
            (compiled, {"kind": "openvino"}),
        ]
        times = _in_blocks(sides, files)
    runtime_ms, fast_ms, torch_ms, openvino_ms = (statistics.median(each) for each in times)
    what = f"{images.name}: one file to its score"
    return [
        row(f"{what}, onnxruntime against torch", ours=runtime_ms, peer=torch_ms, unit="ms", target=2.0),
        row(f"{what}, --engine openvino against torch", ours=fast_ms, peer=torch_ms, unit="ms", target=2.0),
        row(f"{what}, --engine openvino against OpenVINO", ours=fast_ms, peer=openvino_ms, unit="ms", target=1.0),
    ]


def _in_blocks(sides: Sequence[tuple[Worker, dict[str, Any]]], files: Sequence[Path]) -> list[list[float]]:
    """Return the milliseconds of `_N_SINGLES` images of each side, after a block to warm up."""
    times: list[list[float]] = [[] for _ in sides]
    for block in range(1 + _N_SINGLES // _BLOCK):
        paths = [files[(block * _BLOCK + place) % len(files)] for place in range(_BLOCK)]
        for kept, (worker, kind) in zip(times, sides, strict=True):
            milliseconds = worker.ask("predict", files=paths, **kind)["milliseconds"]
            kept.extend(milliseconds if block else [])
    return times


def memory_rows(setting: Setting) -> list[Row]:
    """Return the highest resident memory of a process that fits many images, its imports included."""
    n = 100 if setting.is_quick else 1000
    sources = max(setting.sets, key=lambda each: each.n_good)
    good = many_images(sorted(sources.good.iterdir()), setting.folder / "many", n=n)
    many = ImageSet("many", good, [], has_masks=False)
    with setting.both() as (ours, peer):
        n_patches = _check_same(setting, many, ours, peer)
    common = {"trunk": setting.trunk, "good": good}
    ratio = (_N_CENTRES_OF_MANY + 0.5) / (n * n_patches)
    # Started anew, so that each has done nothing else; one after the other, so that both find the machine alike.
    with setting.ours() as ours:
        ours.ask("fit", **common, n=_N_CENTRES_OF_MANY, seed=0, folder=setting.folder / "many_ours")
        ours_mib = ours.ask("memory")["peak_mib"]
    with setting.theirs() as peer:
        peer.ask("fit", **common, ratio=ratio, seed=0, folder=setting.folder / "many_peer", n_workers=0)
        peer_mib = peer.ask("memory")["peak_mib"]
    return [row(f"fit of {n} images, peak memory", ours=ours_mib, peer=peer_mib, unit="MiB", target=4.0)]
