"""Trained parts so small that they need no training, as in the tests of deploy, and their way to a bundle."""

import pandas as pd
import pytest

from tests.deploy.conftest import *  # noqa: F403 - pytest finds fixtures by their names
from weld_pipeline.core.tables import MANIFEST, checked
from weld_pipeline.datasets.bundle import BundleDataset
from weld_pipeline.pipelines.export import nodes as export
from weld_pipeline.pipelines.export.params import ParityParams
from weld_pipeline.pipelines.inspection import nodes as inspection
from weld_pipeline.pipelines.inspection.params import InspectionParams

INSPECTED = InspectionParams(splits=("test", "valid"), n_samples=2, n_timed=50, n_threads=1, seed=0)
CLASSIFIERS = {"probability": 1e-4, "score": 1e-3, "table_probability": 0.05}
DETECTORS = {"score": 1e-4, "map": 1e-3, "table_score": 1e-3, "table_probability": 0.02}


def compared(tolerances, *, n_parts=None):
    """Return the parameters of the gate."""
    return ParityParams(
        splits=("test", "valid"),
        n_samples=2,
        n_parts=n_parts,
        engines=("onnxruntime", "openvino"),
        tolerances=tolerances,
    )


def manifest_of(labels, *, media, suffix, split="test", **columns):
    """Return a manifest of samples named `run/<name>` that lie in one folder as `<name><suffix>`."""
    rows = [
        {
            "sample_id": sample_id,
            "source": "folders",
            "media": media,
            "path": f"{sample_id.split('/')[1]}{suffix}",
            "label": label,
            "is_defect": label != "good_weld",
            "split": split,
            "session": sample_id,
            "sha256": sample_id,
            "status": "ok",
        }
        for sample_id, label in labels.items()
    ]
    table = pd.DataFrame(rows, columns=list(MANIFEST.columns)).assign(**columns)
    return checked(table, MANIFEST)


@pytest.fixture
def stored(tmp_path):
    """Save contents as the catalog does and read them back verified."""

    def saved(name, contents):
        dataset = BundleDataset(filepath=str(tmp_path / name))
        dataset.save(contents)
        return dataset.load()

    return saved


@pytest.fixture
def make_candidate(stored):
    """Take an exported graph to a candidate, saved and read."""

    def make(graph, *, decision, manifest, family_name):
        contents = export.describe_candidate(
            graph=graph,
            family_name=family_name,
            decision=decision,
            manifest=manifest,
            evaluation={"rates": {}, "baselines": []},
            banners=["DRAWN"],
            mlflow_run_id="run-7",
        )
        return stored("candidate", contents)

    return make


def predictions_of(bundle, manifest, raw):
    """Return the predictions of a pipeline that agrees with the graph."""
    told = inspection.inspect_samples(bundle, manifest, raw, INSPECTED)
    return pd.DataFrame(
        [
            {name: each[name] for name in ("sample_id", "predicted", "score")}
            | ({} if each["p_defect"] is None else {"p_defect": each["p_defect"]})
            | {f"p_{name}": p for name, p in each.get("probabilities", {}).items()}
            for each in told["verdicts"]
        ]
    )
