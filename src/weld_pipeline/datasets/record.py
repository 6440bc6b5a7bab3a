"""Record: a frozen record, such as a decision, as JSON."""

import json
from typing import Any

from kedro.utils import load_obj
from kedro_datasets._typing import JSONPreview
from pydantic import BaseModel, ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.seals import read_record, write_record
from weld_pipeline.datasets.base import FileDataset, json_preview


class RecordDataset(FileDataset[BaseModel, BaseModel]):
    """Saves a record as sealed JSON and loads it as the record that it was.

    Args:
        filepath: The `.json` file.
        record: Class of the record, as `weld_pipeline.decision.policy.Decision`.
        metadata: Settings of plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, record: str, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self._record: type[BaseModel] = load_obj(record)

    def load(self) -> BaseModel:
        value = read_record(self.path, remedy=f"make it again with `kedro run --pipeline={self.path.parent.name}`")
        try:
            return self._record.model_validate_json(
                json.dumps({name: value[name] for name in value if name != "sha256"})
            )
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise WeldError(f"{self.path}: {where}: {first['msg']}; make it again") from error

    def save(self, data: BaseModel) -> None:
        write_record(self.path, data.model_dump(mode="json"))

    def preview(self) -> JSONPreview:
        """Return the record for Kedro-Viz."""
        return json_preview(json.loads(self.path.read_text()))
