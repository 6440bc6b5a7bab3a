"""Tables on disk: as they were, whole, and damage is named."""

import json
import random

import pandas as pd
import pytest
from kedro.io import DatasetError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.datasets.json_value import JsonDataset
from weld_pipeline.datasets.table import CsvDataset, ParquetDataset

TABLE = pd.DataFrame({"sample_id": ["a", "ü", None], "score": [0.1, 1 / 3, float("nan")], "n": [1, 2, 3]})


@pytest.mark.parametrize(("dataset", "name"), [(ParquetDataset, "t.parquet"), (CsvDataset, "t.csv")])
def test_table_comes_back_and_shows_its_first_rows(tmp_path, dataset, name):
    saved = dataset(filepath=str(tmp_path / "deep" / name))
    assert not saved.exists()
    saved.save(TABLE)
    assert saved.exists()
    pd.testing.assert_frame_equal(saved.load(), TABLE)
    assert json.loads(json.dumps(saved.preview(nrows=1)))["data"] == [["a", 0.1, 1]]


def test_types_of_columns_stay_in_parquet(tmp_path):
    table = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "ok": pd.array([True, None], dtype="boolean")})
    saved = ParquetDataset(filepath=str(tmp_path / "t.parquet"))
    saved.save(table)
    pd.testing.assert_frame_equal(saved.load(), table)


def test_changed_byte_among_the_values_of_parquet_is_never_believed(tmp_path):
    path, chance = tmp_path / "t.parquet", random.Random(0)
    saved = ParquetDataset(filepath=str(path))
    saved.save(pd.DataFrame({"score": [chance.random() for _ in range(500)]}))
    whole = path.read_bytes()
    for _ in range(60):
        content = bytearray(whole)
        content[chance.randrange(64, 3500)] ^= 1 << chance.randrange(8)  # behind it lies what describes the columns
        path.write_bytes(content)
        with pytest.raises(DatasetError) as caught:
            saved.load()
        assert isinstance(caught.value.__cause__, WeldError)
        assert "t.parquet: is damaged" in str(caught.value)


@pytest.mark.parametrize("dataset", [ParquetDataset, CsvDataset, JsonDataset])
def test_file_cut_to_nothing_is_named(tmp_path, dataset):
    saved = dataset(filepath=str(tmp_path / "file"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"file: is damaged.*; run the pipeline that makes it again"):
        saved.load()


def test_value_comes_back_and_can_be_read_by_people(tmp_path):
    saved = JsonDataset(filepath=str(tmp_path / "v.json"))
    saved.save({"b": [1, 2.5, None], "a": "größe"})
    assert saved.load() == {"b": [1, 2.5, None], "a": "größe"}
    assert '  "a": "größe"' in (tmp_path / "v.json").read_text(encoding="utf-8")
    assert json.loads(saved.preview()) == saved.load()


def test_deeply_nested_json_is_damage_and_no_traceback(tmp_path):
    (tmp_path / "v.json").write_text("[" * 100_000)
    with pytest.raises(DatasetError, match="holds no JSON"):
        JsonDataset(filepath=str(tmp_path / "v.json")).load()
