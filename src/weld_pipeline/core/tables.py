"""Tables that rooms hand to each other: the manifest and the predictions."""

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key

SPLITS = ("train", "valid", "calib", "test")

# Source of samples that this project drew; numbers reached on them are no results.
DRAWN = "drawn"

MANIFEST = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True),
        "source": pa.Column(str),
        "media": pa.Column(str, pa.Check.isin(("video", "image"))),
        "path": pa.Column(str),  # relative to the source root
        "label": pa.Column(str, nullable=True),
        "is_defect": pa.Column("boolean", nullable=True),
        "split": pa.Column(str, pa.Check.isin(SPLITS), nullable=True),  # empty for quarantined rows
        "session": pa.Column(str, nullable=True),
        "config": pa.Column(str, nullable=True),
        "run_id": pa.Column(str, nullable=True),
        "mask_path": pa.Column(str, nullable=True),
        "width": pa.Column("Int64", nullable=True),
        "height": pa.Column("Int64", nullable=True),
        "n_frames": pa.Column("Int64", nullable=True),
        "fps": pa.Column("Float64", nullable=True),
        "duration_s": pa.Column("Float64", nullable=True),
        "arc_start_s": pa.Column("Float64", nullable=True),
        "arc_on_s": pa.Column("Float64", nullable=True),
        "travel_mm_s": pa.Column("Float64", nullable=True),  # robot travel speed, where the source gives it
        "mean_luma": pa.Column("Float64", nullable=True),  # over arc-on frames; the brightness confound
        "n_bytes": pa.Column("Int64", nullable=True),
        "sha256": pa.Column(str, nullable=True),
        "sample_bits": pa.Column("Int64", nullable=True, required=False),  # as stated for 16-bit images
        "status": pa.Column(str, pa.Check.isin(("ok", "quarantined"))),
        "reason": pa.Column(str, nullable=True),
    },
    strict=True,
    coerce=True,
    name="manifest",
)

PREDICTIONS = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True),
        "session": pa.Column(str),
        "config": pa.Column(str, nullable=True),
        "split": pa.Column(str, pa.Check.isin(SPLITS)),
        "label": pa.Column(str),
        "is_defect": pa.Column(bool),
        "predicted": pa.Column(str),
        "score": pa.Column(float),  # higher is worse
        "^logit_.+$": pa.Column(float, regex=True, required=False),
        "^p_(?!defect$).+$": pa.Column(float, pa.Check.in_range(0, 1), regex=True, required=False),
        "p_defect": pa.Column(float, pa.Check.in_range(0, 1), required=False),  # only after calibration
    },
    strict=True,
    coerce=True,
    name="predictions",
)


def checked(table: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the table in the schema's types.

    Raises:
        WeldError: Naming the table and the first columns, values and rows that break the schema.
    """
    try:
        return schema.validate(table, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases[["column", "check", "failure_case", "index"]].head(5).to_string(index=False)
        raise WeldError(f"table {schema.name} breaks its schema; mend the source of these rows:\n{cases}") from error


def sample_bits(manifest: pd.DataFrame) -> int | None:
    """Return the bits that the samples of a manifest's 16-bit images were stated to have; None: none were.

    Raises:
        WeldError: If its rows were probed under different ones.
    """
    if "sample_bits" not in manifest:
        return None
    stated = sorted(manifest.loc[manifest["status"] == "ok", "sample_bits"].dropna().unique().tolist())
    if len(stated) > 1:
        raise WeldError(f"manifest: rows state {stated} sample_bits; ingest all of them with one probe.sample_bits")
    return int(stated[0]) if stated else None


def data_hash(manifest: pd.DataFrame) -> str:
    """Return the SHA-256 of a model's data: id, bytes, label and split of every usable sample, in any order."""
    usable = manifest.loc[manifest["status"] == "ok", ["sample_id", "sha256", "label", "split"]]
    return content_key(usable.sort_values("sample_id").astype(str).to_numpy().tolist())
