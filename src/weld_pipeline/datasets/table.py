"""Tables: a data frame as Parquet or as csv, whole or not at all."""

import io
import json
from abc import abstractmethod
from typing import ClassVar

import pandas as pd
from kedro_datasets._typing import TablePreview
from pyarrow.lib import ArrowException

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_bytes
from weld_pipeline.datasets.base import FileDataset


class TableDataset(FileDataset[pd.DataFrame, pd.DataFrame]):
    """Saves and loads a data frame; a subclass knows the format."""

    # What pandas and pyarrow were seen to raise on a file with changed bytes.
    _BROKEN: ClassVar = (ValueError, OSError, KeyError, TypeError, AttributeError, ArrowException)

    def load(self) -> pd.DataFrame:
        try:
            return self._read()
        except FileNotFoundError:
            raise
        except self._BROKEN as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise WeldError(f"{self.path}: is damaged ({reason}); run the pipeline that makes it again") from error

    def save(self, data: pd.DataFrame) -> None:
        write_bytes(self.path, self._bytes(data))

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows for Kedro-Viz."""
        return TablePreview(json.loads(self.load().head(nrows).to_json(orient="split")))

    @abstractmethod
    def _read(self) -> pd.DataFrame:
        """Return the table in the file."""

    @abstractmethod
    def _bytes(self, data: pd.DataFrame) -> bytes:
        """Return the bytes of the file."""


class ParquetDataset(TableDataset):
    """Parquet with a checksum of each page, which is checked when it is read."""

    def _read(self) -> pd.DataFrame:
        return pd.read_parquet(io.BytesIO(self.path.read_bytes()), engine="pyarrow", page_checksum_verification=True)

    def _bytes(self, data: pd.DataFrame) -> bytes:
        buffer = io.BytesIO()
        data.to_parquet(buffer, engine="pyarrow", write_page_checksum=True)
        return buffer.getvalue()


class CsvDataset(TableDataset):
    """csv in UTF-8, without the index."""

    def _read(self) -> pd.DataFrame:
        return pd.read_csv(self.path)

    def _bytes(self, data: pd.DataFrame) -> bytes:
        return data.to_csv(index=False).encode()
