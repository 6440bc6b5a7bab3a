"""Metrics of every epoch in MLflow, written at once."""

import time
from typing import Any

from kedro_mlflow.io.metrics import MlflowMetricsHistoryDataset
from mlflow import MlflowClient
from mlflow.entities import Metric

# MLflow refuses more in one call.
_MAX_BATCH = 1000


class TrainingMetricsDataset(MlflowMetricsHistoryDataset):
    """kedro-mlflow's history of metrics, in batches.

    Its own save makes a transaction a value, which takes longer on SQLite than the training of a small network. Where a
    run is not recorded, nothing is written.
    """

    def _save(self, data: Any) -> None:
        if not self._logging_activated:
            return
        now = int(time.time() * 1000)
        prefix = f"{self._prefix}." if self._prefix else ""
        metrics = [
            Metric(f"{prefix}{name}", row["value"], now, int(row["step"]))
            for name, rows in data.items()
            for row in rows
        ]
        client = MlflowClient()
        for first in range(0, len(metrics), _MAX_BATCH):
            client.log_batch(self.run_id, metrics[first : first + _MAX_BATCH])
