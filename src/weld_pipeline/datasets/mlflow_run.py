"""The id of the MLflow run that is being recorded."""

from typing import Any

import mlflow
from kedro.io import AbstractDataset, DatasetError


class MlflowRunIdDataset(AbstractDataset[Any, str | None]):
    """Gives the active run's id, or None where a run is not recorded; read-only.

    Args:
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def load(self) -> str | None:
        run = mlflow.active_run()
        return run.info.run_id if run else None

    def save(self, data: Any) -> None:
        raise DatasetError(f"MLflow gives the run id; {data!r} cannot be saved as one")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {}
