"""Inputs of a run as MLflow takes them: parameters one by one, and the manifest as a data set with its digest."""

import json
import re
from typing import Any

import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT
from mlflow.utils.validation import MAX_DATASET_DIGEST_SIZE, MAX_PARAM_VAL_LENGTH
from pydantic import BaseModel

_NO_PARAM_SIGN = re.compile(r"[^/\w.\- ]")


def param_fields(name: str, value: Any) -> dict[str, str]:
    """Return a parameter as text, one entry a field.

    >>> param_fields("trunk", {"name": "resnet18", "layers": ["layer2"], "ids": {}})
    {'trunk.name': 'resnet18', 'trunk.layers': "['layer2']", 'trunk.ids': '{}'}
    """
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    if isinstance(plain, dict) and plain:
        fields = [param_fields(f"{name}.{key}", each) for key, each in plain.items()]
        return {key: text for field in fields for key, text in field.items()}
    text = str(plain)
    short = text if len(text) <= MAX_PARAM_VAL_LENGTH else f"{text[: MAX_PARAM_VAL_LENGTH - 1]}…"
    return {_NO_PARAM_SIGN.sub("_", name): short}


def manifest_input(manifest: pd.DataFrame, *, name: str, path: str, sha256: str) -> DatasetInput:
    """Return a manifest as a logged input.

    Args:
        manifest: The rows, of which those in use are counted by split.
        sha256: `core.tables.data_hash` of it; MLflow keeps 36 characters of a digest, so a run's tag
            `data.sha256` has the whole.
    """
    in_use = manifest[manifest["status"] == "ok"]
    counts = {"num_rows": len(manifest), "in_use": len(in_use)} | in_use["split"].value_counts().sort_index().to_dict()
    dataset = Dataset(
        name=name,
        digest=sha256[:MAX_DATASET_DIGEST_SIZE],
        source_type="local",
        source=json.dumps({"uri": path}),
        profile=json.dumps(counts),
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, "manifest")])
