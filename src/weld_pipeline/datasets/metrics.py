"""Metrics in MLflow, final ones and those of every epoch, written at once."""

import time
from typing import Any

from kedro_mlflow.io.metrics import MlflowMetricsHistoryDataset
from mlflow import MlflowClient
from mlflow.entities import Metric

# MLflow refuses more in one call.
_MAX_BATCH = 1000


class MetricsDataset(MlflowMetricsHistoryDataset):
    """kedro-mlflow's history of metrics, in batches and under plain names.

    Its own save makes a transaction a value, which takes longer on SQLite than the training of a small network. Where a
    run is not recorded, nothing is written.

    Args:
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        # A family member has a run of its own, so no prefix; None would make the plugin take the dataset's name.
        super().__init__(prefix="", metadata=metadata)

    def _save(self, data: Any) -> None:
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
