"""The comparisons of `benchmarks.anomalib`, one function a row of the table or a few that belong together."""

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from jaxtyping import Float
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from benchmarks._workers import LARGE_BLOCKS_MAPPED, TUNED_MALLOC, Worker
from benchmarks.anomaly.sets import ImageSet
from benchmarks.common import Row, row
from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.patchcore.coreset import covering_radius

_HERE = Path(__file__).parent
IMAGE_PX = 256
_REPEATS = 1  # a minute and more of the peer each
_SAME_RADIUS = 1.02


@dataclass(frozen=True)
class Setting:
    """What both sides are given.

    Attributes:
        trunk: `name`, `layers`, `image_px` and the file `weights`.
        sets: Images.
        peer: Interpreter of the peer's environment.
        n_threads: Of either.
        folder: For what is made on the way.
        is_quick: Whether less of the work will do.
    """

    trunk: Mapping[str, Any]
    sets: Sequence[ImageSet]
    peer: Path
    n_threads: int
    folder: Path
    is_quick: bool

    @property
    def n_centres(self) -> int:
        """Return the size of the memory bank."""
        return 300 if self.is_quick else 1500

    def ours(self) -> Worker:
        """Start a process of ours."""
        return Worker(
            [sys.executable, "-m", "benchmarks.anomaly.worker"], n_threads=self.n_threads, log=self.folder / "ours.log"
        )

    def theirs(self, malloc: Mapping[str, str] | None = None) -> Worker:
        """Start a process of the peer's."""
        # -P: or `import anomalib` would find the comparison of that name beside the worker.
        command = [self.peer, "-P", _HERE / "peer_worker.py"]
        return Worker(command, n_threads=self.n_threads, log=self.folder / "peer.log", malloc=malloc)

    @contextmanager
    def both(self) -> Iterator[tuple[Worker, Worker]]:
        """Start both, the peer with malloc's limit low enough for its fit to end."""
        with self.ours() as ours, self.theirs(LARGE_BLOCKS_MAPPED) as peer:
            yield ours, peer


def coreset_rows(setting: Setting) -> list[Row]:
    """Return time and covering radius on drawn clusters and on features of real images."""
    rows = []
    for name, points, n in _point_clouds(setting):
        file = setting.folder / "points.npy"
        np.save(file, points.numpy())
        rows += _coreset(setting, name, file, n)
    return rows


def _coreset(setting: Setting, name: str, file: Path, n: int) -> list[Row]:

    # With malloc's own limit the peer's memory grows until it is killed where its arrays are just below that limit.
    mapped = setting.theirs(LARGE_BLOCKS_MAPPED)
    with setting.ours() as ours, mapped as installed, setting.theirs(TUNED_MALLOC) as tuned:
        sides = {"ours": ours, "installed": installed, "tuned": tuned}
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(_REPEATS):
            for side, worker in sides.items():
                answer = worker.ask("coreset", points=str(file), n=n, to=str(setting.folder / f"{side}.npy"))
                seconds[side].append(answer["seconds"])
    times = {side: statistics.median(each) for side, each in seconds.items()}
    points = torch.from_numpy(np.load(file))
    radius = {side: covering_radius(points, _chosen(setting, side, n)) for side in ("ours", "installed")}
    what = f"coreset, {name}, {len(points)} × {points.shape[1]} → {n}"
    return [
        row(what, ours=times["ours"], peer=times["installed"], unit="s", target=10.0),
        row(f"{what}, malloc tuned for the peer", ours=times["ours"], peer=times["tuned"], unit="s", target=1.0),
        row(
            f"{what}, covering radius",
            ours=radius["ours"],
            peer=radius["installed"],
            unit="",
            target=round(1 / _SAME_RADIUS, 4),
        ),
    ]


def _chosen(setting: Setting, side: str, n: int) -> Tensor:
    chosen = torch.from_numpy(np.load(setting.folder / f"{side}.npy"))
    if len(chosen) != n:
        raise WeldError(f"coreset of {side}: {len(chosen)} centres instead of {n}; the two cannot be compared")
    return chosen


def _point_clouds(setting: Setting) -> Iterator[tuple[str, Float[Tensor, "N D"], int]]:
    # Fewer than these and the peer's array falls below malloc's limit, see `benchmarks.anomalib`.
    n_points, n = (36_000, 360) if setting.is_quick else (47_040, 1_411)
    yield "drawn clusters", drawn_clusters(n_points, 512 if setting.is_quick else 1_536), n
    files = [path for each in setting.sets for path in sorted(each.good.iterdir())]
    yield f"{setting.trunk['name']} on real images", _features(setting.trunk, files)[:n_points], n
    if not setting.is_quick:
        wide = {"name": "wide_resnet50_2", "layers": ["layer2", "layer3"], "image_px": 224, "weights": None}
        yield "wide_resnet50_2, random, on real images", _features(wide, files)[:n_points], n


def drawn_clusters(n_points: int, n_dims: int) -> Float[Tensor, "N D"]:
    """Return points about 300 centres, each cluster of its own size, spread and eight main directions."""
    generator = torch.Generator().manual_seed(0)
    centres = 3 * torch.randn(300, n_dims, generator=generator) / n_dims**0.5
    weights = torch.rand(300, generator=generator) ** 3
    of = torch.multinomial(weights, n_points, replacement=True, generator=generator)
    points = centres[of] + 0.3 * torch.randn(n_points, n_dims, generator=generator) / n_dims**0.5
    for cluster in range(300):
        members = (of == cluster).nonzero()[:, 0]
        directions = torch.randn(8, n_dims, generator=generator) / n_dims**0.5
        points[members] += torch.randn(len(members), 8, generator=generator) @ directions * weights[cluster]
    return points


@torch.inference_mode()
def _features(trunk: Mapping[str, Any], files: Sequence[Path]) -> Float[Tensor, "N D"]:
    """Return the patches of up to 60 images: maps pooled 3×3, joined at the size of the first, as PatchCore has them."""
    torch.manual_seed(0)
    names = timm.create_model(trunk["name"], features_only=True).feature_info.module_name()
    network = timm.create_model(
        trunk["name"], features_only=True, out_indices=[names.index(layer) for layer in trunk["layers"]]
    ).eval()
    if trunk["weights"]:
        tensors = load_file(trunk["weights"])
        network.load_state_dict({key: tensors[key] for key in network.state_dict()})
    patches = []
    for file in files[:: max(1, len(files) // 60)]:
        side = (trunk["image_px"], trunk["image_px"])
        pixels = np.asarray(Image.open(file).convert("RGB").resize(side, Image.Resampling.BILINEAR), np.float32)
        image = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 - 0.45) / 0.225
        first, *others = (functional.avg_pool2d(each, 3, 1, 1) for each in network(image))
        joined = [first, *(functional.interpolate(each, first.shape[2:], mode="bilinear") for each in others)]
        patches.append(torch.cat(joined, dim=1)[0].flatten(1).T)
    return torch.cat(patches).contiguous()


def step_rows(setting: Setting) -> list[Row]:
    """Return the time of one training step of EfficientAD-S: an image, one for the penalty, Adam."""
    rounds, n_steps, warm = (2, 6, 2) if setting.is_quick else (4, 12, 2)
    found: tuple[list[float], list[float]] = ([], [])
    with setting.ours() as ours, setting.theirs() as peer:
        for _ in range(rounds):
            for times, worker in zip(found, (ours, peer), strict=True):
                times.extend(worker.ask("step", side_px=IMAGE_PX, n_steps=n_steps)["milliseconds"][warm:])
    ours_ms, peer_ms = (statistics.median(times) for times in found)
    return [row(f"EfficientAD-S, a step, {IMAGE_PX} px, batch of 1", ours=ours_ms, peer=peer_ms, unit="ms", target=1.0)]
