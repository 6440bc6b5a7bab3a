"""What happens around every run: MLflow gets tidy parameters and the provenance of code, data and weights."""

from typing import Any

import mlflow
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from pydantic import BaseModel

from weld_pipeline.core.provenance import code_revision, library_versions
from weld_pipeline.core.tables import data_hash


class TrackingHooks(MlflowHook):
    """kedro-mlflow's hook, which knows nothing of pydantic parameters or of where a run's numbers come from.

    It stands in for the plugin's own registration (see `settings.py`).
    """

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the MLflow run and tag it with the state of the code."""
        super().before_pipeline_run(run_params, pipeline, catalog)
        if self._is_mlflow_enabled:
            revision = code_revision()
            versions = {f"version.{name}": release for name, release in library_versions().items()}
            mlflow.set_tags({"code.commit": revision.commit, "code.is_dirty": revision.is_dirty} | versions)

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], is_async: bool) -> None:
        """Log a node's parameters, one MLflow parameter a field."""
        plain = {
            name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
            for name, value in inputs.items()
        }
        super().before_node_run(node, catalog, plain, is_async)

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Close the run as failed; the plugin's own way raises where no run is open in this thread, over the error."""
        if not self._is_mlflow_enabled or self._already_active_mlflow:
            super().on_pipeline_error(error, run_params, pipeline, catalog)
            return
        while mlflow.active_run():
            mlflow.end_run("FAILED")
        if self.run_id:
            mlflow.MlflowClient().set_terminated(self.run_id, "FAILED")

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Tag the run with the data and weights it reads."""
        self._tag(dataset_name, data)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Tag the run with the data and weights it made or fetched."""
        self._tag(dataset_name, data)

    def _tag(self, dataset_name: str, data: Any) -> None:
        if not mlflow.active_run():
            return
        if dataset_name.rpartition(".")[2] == "manifest":  # of all video families, or of a recipe of images
            mlflow.set_tag(dataset_name.replace("manifest", "data.sha256"), data_hash(data))
        if dataset_name.endswith(".weights"):  # a family's record of its pretrained weights
            mlflow.set_tags({f"{dataset_name}.{key}": str(value) for key, value in data.items()})
