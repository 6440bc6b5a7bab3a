"""Seams so small that a detector is fitted on them in a second: a rippled band, in some a striped spot and its mask."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.core.tables import MANIFEST, checked
from weld_pipeline.datasets.item_store import ItemStoreDataset
from weld_pipeline.pipelines.anomaly_detector import nodes
from weld_pipeline.pipelines.anomaly_detector import params as models

HEIGHT, WIDTH = 72, 96
# Good and defective images of each split.
COUNTS = {"train": (6, 0), "valid": (2, 0), "calib": (4, 3), "test": (4, 3)}
MODELS = {
    "trunk": models.MapTrunkParams,
    "image": models.MapImageParams,
    "threshold": models.ThresholdParams,
    "look": models.AnomalyLookParams,
    "student": models.StudentParams,
    "teacher": models.TeacherParams,
    "check": models.CheckParams,
}
FITS = {"patchcore": models.PatchCoreParams, "reference": models.ReferenceParams}


@dataclass(frozen=True)
class Seams:
    """Images on disk, the manifest that names them, and all of them prepared."""

    raw: SourceTree
    manifest: pd.DataFrame
    images: object

    @property
    def root(self) -> Path:
        return self.raw.root


def seam(seed, *, has_spot):
    """Return an image and the mask of its spot."""
    generator = np.random.default_rng(seed)
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    levels = 70 + 90 * np.exp(-(((down - 36) / 12) ** 2)) * (1 + 0.2 * np.sin(right / 4 + generator.uniform(0, 6)))
    levels = levels + generator.normal(0, 3, levels.shape)
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    if has_spot:
        top, left = generator.integers(24, 40), generator.integers(4, 76)
        mask[top : top + 14, left : left + 14] = True
        levels[mask] = (255 * (right // 3 % 2))[mask]
    return np.clip(levels, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """On images this small, threads wait for one another longer than they work."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def parameters(project_root):
    """Parameters of a detector as the test environment has them."""

    def of(detector, **changes):
        values = {}
        for env in ("base", "test"):
            path = project_root / "conf" / env / "parameters_detectors" / f"{detector}.yml"
            values = merged(values, yaml.safe_load(path.read_text())[detector])
        values = merged(values, changes)
        kinds = MODELS | {"fit": FITS.get(detector)}
        return {name: kinds[name](**value) for name, value in values.items()}

    return of


def merged(values, changes):
    """Return the values with some of them, however deep, replaced."""
    deeper = {
        name: merged(values[name], value)
        for name, value in changes.items()
        if isinstance(value, dict) and isinstance(values.get(name), dict)
    }
    return values | changes | deeper


@pytest.fixture(scope="session")
def prepare(parameters, tmp_path_factory):
    """Prepares what a manifest names, and returns the store."""

    def run(manifest, raw, *, tiling=None, **image):
        pending = nodes.prepare_images(manifest, raw, parameters("patchcore", image=image)["image"], tiling)
        dataset = ItemStoreDataset(filepath=str(tmp_path_factory.mktemp("images")), kind="tensor")
        dataset.save(pending)
        return dataset.load()

    return run


@pytest.fixture(scope="session")
def seams(tmp_path_factory, prepare):
    """Six good seams to fit on, others to choose by and to judge; the last defective one of test has no mask."""
    root = tmp_path_factory.mktemp("seams") / "plate"
    rows = [
        written(root, split, number, is_defect=number >= n_good)
        for split, (n_good, n_defect) in COUNTS.items()
        for number in range(n_good + n_defect)
    ]
    (root / rows[-1].pop("mask_path")).unlink()
    table = pd.DataFrame(rows, columns=list(MANIFEST.columns)).assign(source="folders", media="image", status="ok")
    manifest = checked(table, MANIFEST)
    raw = SourceTree(root)
    return Seams(raw, manifest, prepare(manifest, raw))


def written(root, split, number, *, is_defect):
    """Write an image and its mask, and return their row."""
    label = "crack" if is_defect else "good"
    pixels, mask = seam(100 * list(COUNTS).index(split) + number, has_spot=is_defect)
    name = f"{split}/{label}/{number}.png"
    files = {name: pixels} | ({f"masks/{name}": mask.astype(np.uint8) * 255} if is_defect else {})
    for path, levels in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(root / path)
    row = {"sample_id": name, "path": name, "label": label, "is_defect": is_defect, "split": split, "sha256": name}
    row |= {"session": f"{split} {number}", "width": WIDTH, "height": HEIGHT}
    return row | ({"mask_path": f"masks/{name}"} if is_defect else {})
