import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import PREDICTIONS, checked, data_hash, sample_bits


def predictions(**changes):
    row = {
        "sample_id": "a",
        "session": "01-01-23",
        "config": "c",
        "split": "test",
        "label": "Good",
        "is_defect": False,
        "predicted": "Good",
        "score": 0.5,
        "logit_Good": 1.0,
        "p_Good": 0.9,
    }
    return pd.DataFrame([row | changes])


def test_predictions_need_no_calibrated_probability():
    assert "p_defect" not in checked(predictions(), PREDICTIONS)


@pytest.mark.parametrize(
    ("column", "value"), [("p_Good", 1.2), ("p_defect", -0.1), ("split", "holdout"), ("extra", 1), ("score", "high")]
)
def test_value_outside_the_schema_is_named(column, value):
    with pytest.raises(WeldError, match=column):
        checked(predictions(**{column: value}), PREDICTIONS)


def manifest(order, **changes):
    rows = [
        {"sample_id": "a", "sha256": "1", "label": "Good", "split": "train", "status": "ok"},
        {"sample_id": "b", "sha256": "2", "label": "Spatter", "split": "test", "status": "ok"},
        {"sample_id": "c", "sha256": None, "label": "Spatter", "split": None, "status": "quarantined"},
    ]
    rows[1] |= changes
    return pd.DataFrame([rows[i] for i in order])


def test_data_hash_ignores_order_and_quarantined_rows():
    assert data_hash(manifest([0, 1, 2])) == data_hash(manifest([1, 0]))


@pytest.mark.parametrize("change", [{"split": "train"}, {"label": "Good"}, {"sha256": "3"}])
def test_data_hash_changes_with_split_label_or_bytes(change):
    assert data_hash(manifest([0, 1])) != data_hash(manifest([0, 1], **change))


def test_stated_bits_are_one_for_the_whole_manifest():
    rows = pd.DataFrame({"status": ["ok", "ok", "quarantined"], "sample_bits": pd.array([12, 12, None], "Int64")})
    assert sample_bits(rows) == 12
    assert sample_bits(rows[["status"]]) is None
    assert sample_bits(rows.assign(sample_bits=pd.array([None] * 3, "Int64"))) is None
    with pytest.raises(WeldError, match=r"rows state \[10, 12\] sample_bits; ingest all of them with one"):
        sample_bits(rows.assign(sample_bits=pd.array([12, 10, 14], "Int64")))
