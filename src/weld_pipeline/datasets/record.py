"""Typed record as JSON."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.utils import load_obj
from kedro_datasets._typing import JSONPreview
from pydantic import BaseModel, ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_json


class RecordDataset(AbstractDataset[BaseModel, BaseModel]):
    """Keeps a frozen record, such as a decision, as JSON and gives it back as that record.

    Args:
        filepath: The `.json` file.
        record: Class of the record, as `weld_pipeline.decision.policy.Decision`.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, record: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._record: type[BaseModel] = load_obj(record)
        self.metadata = metadata

    def load(self) -> BaseModel:
        try:
            return self._record.model_validate_json(self._filepath.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise WeldError(f"{self._filepath}: {where}: {first['msg']}; make it again") from error

    def save(self, data: BaseModel) -> None:
        write_json(self._filepath, data.model_dump(mode="json"))

    def preview(self) -> JSONPreview:
        """Return the record for Kedro-Viz."""
        return JSONPreview(json.dumps(json.loads(self._filepath.read_text())))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "record": self._record.__name__}
