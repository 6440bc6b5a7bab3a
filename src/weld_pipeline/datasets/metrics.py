"""Metrics: final ones and those of every epoch, in a file and, where a run is recorded, in MLflow."""

import json
import time
from pathlib import Path
from typing import Any

from kedro_mlflow.io.metrics import MlflowMetricsHistoryDataset
from mlflow import MlflowClient
from mlflow.entities import Metric

from weld_pipeline.core.files import write_json

# MLflow refuses more in one call.
_MAX_BATCH = 1000


class MetricsDataset(MlflowMetricsHistoryDataset):
    """kedro-mlflow's history of metrics, in batches, under plain names, and with a file that can be read again.

    The plugin's own save makes a transaction a value, which takes longer on SQLite than the training of a small network.

    Args:
        filepath: The JSON file.
        metadata: Settings of plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        # A family member has a run of its own, so no prefix; None would make the plugin take the dataset's name.
        super().__init__(prefix="", metadata=metadata)
        self.path = Path(filepath)

    def _load(self) -> Any:
        return json.loads(self.path.read_text())

    def _exists(self) -> bool:
        return self.path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.path)}

    def _save(self, data: Any) -> None:
        write_json(self.path, data)
        if not self._logging_activated:
            return
        now = int(time.time() * 1000)
        metrics = [
            Metric(name, row["value"], now, int(row["step"]))
            for name, rows in data.items()
            for row in (rows if isinstance(rows, list) else [rows])
        ]
        client = MlflowClient()
        for first in range(0, len(metrics), _MAX_BATCH):
            client.log_batch(self.run_id, metrics[first : first + _MAX_BATCH])
