"""Plugin: what of kedro-mlflow's own hook a command uses; MLflow comes with it, so it is loaded when a session opens."""

from pathlib import Path
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.provenance import code_revision, library_versions
from weld_pipeline.tracking.command_run import CommandRun, end_abandoned
from weld_pipeline.tracking.database import whole_database
from weld_pipeline.tracking.experiment import open_experiment


class MlflowPlugin(MlflowHook):
    """kedro-mlflow's hook, as far as it configures MLflow and opens and closes the run of a command."""

    def connect(self, context: KedroContext) -> None:
        """Configure MLflow; an experiment that was there before gets the tags of a new one.

        Raises:
            WeldError: If there is no such environment, or its database cannot be used.
        """
        uri = "" if mlflow.active_run() else _settings(context)["server"]["mlflow_tracking_uri"]
        with whole_database(uri):
            self.after_context_created(context)
            if not self._already_active_mlflow:
                experiment = self.mlflow_config.tracking.experiment
                open_experiment(experiment.name, experiment.create_experiment_kwargs.tags or {})

    def begin(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog, families: dict[str, str]
    ) -> CommandRun | None:
        """Open the command's run and tag it with the state of the code; return None where nothing is to be recorded.

        Args:
            families: Family of each member that may get a child.
        """
        if not self._already_active_mlflow:
            end_abandoned(self.mlflow_config.tracking.experiment.name)
        self.before_pipeline_run(run_params, pipeline, catalog)
        run = mlflow.active_run()
        if not self._is_mlflow_enabled or not run:
            return None
        revision = code_revision()
        tags = {"code.commit": str(revision.commit), "code.is_dirty": str(revision.is_dirty)}
        tags |= {"env": run_params["env"]} if run_params["env"] else {}
        command = CommandRun(
            run.info.run_id, run.info.experiment_id, families, tags, is_ours=not self._already_active_mlflow
        )
        command.begin()
        versions = {f"version.{name}": release for name, release in library_versions().items()}
        command.set_tags(command.run_id, tags | versions)
        return command


def _settings(context: KedroContext) -> Any:
    loader = context.config_loader
    source, env = Path(loader.conf_source), loader.env
    if env and source.is_dir() and not (source / env).is_dir():
        known = sorted(path.name for path in source.iterdir() if path.is_dir())
        raise WeldError(f"environment {env}: {source / env} is not there, only {', '.join(known)}")
    return loader["mlflow"]
