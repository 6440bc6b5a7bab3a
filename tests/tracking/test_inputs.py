"""Inputs of a run: parameters a field, the manifest as a data set."""

import json

import pandas as pd
from pydantic import BaseModel

from weld_pipeline.tracking.inputs import manifest_input, param_fields


class Inner(BaseModel):
    order: list[str] | None
    aliases: dict[str, str]


class Outer(BaseModel):
    inner: Inner
    rate: float


def test_model_is_one_parameter_a_field():
    params = Outer(inner=Inner(order=None, aliases={"Good Weld": "good", "a+b": "c"}), rate=0.5)
    assert param_fields("index", params) == {
        "index.inner.order": "None",
        "index.inner.aliases.Good Weld": "good",
        "index.inner.aliases.a_b": "c",
        "index.rate": "0.5",
    }


def test_value_longer_than_mlflow_takes_is_visibly_cut():
    (text,) = param_fields("note", "x" * 7000).values()
    assert (len(text), text[-2:]) == (6000, "x…")


def test_rows_of_a_manifest_are_counted_by_split_and_quarantined_ones_left_out():
    manifest = pd.DataFrame({"status": ["ok", "ok", "quarantined"], "split": ["train", "test", None]})
    given = manifest_input(manifest, name="plates", path="data/manifest.parquet", sha256="ab" * 32)
    assert (given.dataset.name, given.dataset.digest) == ("plates", "ab" * 18)
    assert json.loads(given.dataset.source) == {"uri": "data/manifest.parquet"}
    assert json.loads(given.dataset.profile) == {"num_rows": 3, "in_use": 2, "test": 1, "train": 1}
