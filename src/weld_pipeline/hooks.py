"""Hooks: what MLflow is told around every run, of the command as a whole and of each family member in it."""

from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from kedro_mlflow.io.metrics import MlflowMetricsHistoryDataset

from weld_pipeline.core.provenance import code_revision, library_versions
from weld_pipeline.core.tables import data_hash
from weld_pipeline.pipelines.families import FAMILIES
from weld_pipeline.tracking.command_run import CommandRun, end_abandoned
from weld_pipeline.tracking.experiment import open_experiment
from weld_pipeline.tracking.inputs import manifest_input, param_fields

_RUN_ID = "params:mlflow_run_id"


class TrackingHooks(MlflowHook):
    """kedro-mlflow's hook, with a child run for each family member.

    A member is the video classifier, a recipe of images or a detector; its nodes bear its name as a tag. They
    write parameters, metrics, artifacts and tags to the child, under names without the namespace, so that MLflow's table
    and charts set members beside each other. What belongs to no member stays with the command's run.

    It stands in for the plugin's own registration (see `settings.py`).
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._command: CommandRun | None = None
        self._catalog: DataCatalog | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Configure MLflow; an experiment that was there before gets the tags of a new one."""
        super().after_context_created(context)
        if not self._already_active_mlflow:
            experiment = self.mlflow_config.tracking.experiment
            open_experiment(experiment.name, experiment.create_experiment_kwargs.tags or {})

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the command's run and tag it with the state of the code."""
        if not self._already_active_mlflow:
            end_abandoned(self.mlflow_config.tracking.experiment.name)
        super().before_pipeline_run(run_params, pipeline, catalog)
        self._catalog, self._command = catalog, None
        run = mlflow.active_run()
        if not self._is_mlflow_enabled or not run:
            return
        revision = code_revision()
        tags = {"code.commit": str(revision.commit), "code.is_dirty": str(revision.is_dirty)}
        tags |= {"env": run_params["env"]} if run_params["env"] else {}
        self._command = CommandRun(
            run.info.run_id,
            run.info.experiment_id,
            families_in(pipeline),
            tags,
            is_ours=not self._already_active_mlflow,
        )
        self._command.begin()
        versions = {f"version.{name}": release for name, release in library_versions().items()}
        self._command.set_tags(self._command.run_id, tags | versions)

    @hook_impl
    def before_node_run(  # type: ignore[override]  # Kedro takes what a hook returns as inputs; the plugin returns none
        self,
        node: Node,
        catalog: DataCatalog,  # noqa: ARG002
        inputs: dict[str, Any],
        is_async: bool,  # noqa: ARG002
    ) -> dict[str, Any] | None:
        """Log a node's parameters, one MLflow parameter a field, and tell it the id of the run that records it."""
        if not self._command:
            return None
        run_id = self._run_id_of(node)
        for name, value in inputs.items():
            if name.startswith("params:") and name != _RUN_ID:
                full = name.removeprefix("params:")
                own = full.removeprefix(f"{_member(node)}.") if self._is_child(run_id) else full
                self._command.log_params(run_id, param_fields(own, value))
        return {name: run_id for name in inputs if name == _RUN_ID}

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any, node: Node) -> None:
        """Tell the run which data and weights it reads."""
        self._note(dataset_name, data, node)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Point a dataset that writes to MLflow at the run of its node, whatever thread it is saved in."""
        dataset = self._mlflow_dataset(dataset_name)
        if dataset:
            dataset._logging_activated = self._command is not None  # noqa: SLF001, the plugin's own switch
            dataset.run_id = self._run_id_of(node) if self._command else None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """Tell the run which data and weights it made or fetched."""
        dataset = self._mlflow_dataset(dataset_name)
        if dataset:
            dataset.run_id = None  # with an id, the plugin would load from MLflow instead of from the file
        self._note(dataset_name, data, node)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Close all runs."""
        super().after_pipeline_run(run_params, pipeline, catalog)
        self._end("FINISHED")

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,  # noqa: ARG002
        run_params: dict[str, Any],  # noqa: ARG002
        pipeline: Pipeline,  # noqa: ARG002
        catalog: DataCatalog,  # noqa: ARG002
    ) -> None:
        """Close all runs as failed.

        The plugin's own way is left out: it raises where no run is open in this thread, over the error.
        """
        self._end("FAILED")

    def _end(self, status: str) -> None:
        command, self._command, self._catalog = self._command, None, None
        if command:
            command.end(status)

    def _run_id_of(self, node: Node) -> str:
        assert self._command is not None
        return self._command.run_of(_member(node))

    def _is_child(self, run_id: str) -> bool:
        return self._command is not None and run_id != self._command.run_id

    def _mlflow_dataset(self, name: str) -> Any:
        dataset = self._catalog.get(name) if self._catalog else None
        is_artifact = hasattr(dataset, "artifact_path")
        return dataset if is_artifact or isinstance(dataset, MlflowMetricsHistoryDataset) else None

    def _note(self, dataset_name: str, data: Any, node: Node) -> None:
        if not self._command:
            return
        run_id = self._run_id_of(node)
        is_child = self._is_child(run_id)
        space, _, noun = dataset_name.rpartition(".")
        if noun == "manifest" and self._command.is_new_input(run_id, dataset_name):
            sha256 = data_hash(data)
            tag = "data.sha256" if is_child else dataset_name.replace("manifest", "data.sha256")
            self._command.set_tags(run_id, {tag: sha256})
            if is_child:
                path = self._file_of(dataset_name)
                self._command.log_input(run_id, manifest_input(data, name=space, path=path, sha256=sha256))
        if noun == "weights":  # a member's record of its pretrained weights
            own = noun if is_child else dataset_name
            self._command.set_tags(run_id, {f"{own}.{key}": value for key, value in data.items()})

    def _file_of(self, name: str) -> str:
        assert self._catalog is not None
        return str(self._catalog[name]._describe().get("filepath", name))  # noqa: SLF001


def families_in(pipeline: Pipeline) -> dict[str, str]:
    """Return the family of each member that has a step to do in a pipeline.

    Ingestion alone is no step of a member: a run that only makes a manifest opens no child.
    """
    stepping = {_member(node) for node in pipeline.nodes if "ingestion" not in node.tags}
    return {member: family.name for family in FAMILIES for member in family.members if member in stepping}


def _member(node: Node) -> str | None:
    return next((member for family in FAMILIES for member in family.members if member in node.tags), None)
