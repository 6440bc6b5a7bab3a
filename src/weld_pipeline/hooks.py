"""Hooks: what happens around every run: its data folder is locked, its log tells the story, and MLflow records it."""

import logging
import time
from itertools import count
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from weld_pipeline import core, datasets, tracking
from weld_pipeline.pipelines.families import FAMILIES

logger = logging.getLogger(__name__)

_RUN_ID = "params:mlflow_run_id"
# Steps that take less are told by one line, where they begin.
_LONG_S = 1.0
_LOG_BYTES, _OLD_LOGS = 10 << 20, 3


class DataFolderHooks:
    """One run at a time in a data folder: two would mix their artifacts. What only reads, such as Kedro-Viz, needs no lock.

    The folder also gets `run.log`, which holds every message; the terminal leaves out Kedro's own of each load and save.
    """

    def __init__(self) -> None:
        self._context: KedroContext | None = None
        self._lock: core.lock.FileLock | None = None
        self._log: logging.Handler | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context, which knows the folder."""
        self._context = context

    @hook_impl(tryfirst=True)  # before MLflow opens a run
    def before_pipeline_run(self) -> None:
        """Take the lock, and remove what killed runs left half-written.

        Raises:
            WeldError: If another run works in the folder.
        """
        assert self._context is not None
        self._close()  # of a run in this process, as in a notebook, that was interrupted
        name = str(self._context.config_loader["globals"]["data"])
        if "://" in name:  # a bucket has no locks
            return
        folder = self._context.project_path / name
        lock = core.lock.FileLock(folder / ".run.lock")
        lock.take(
            thing=f"data folder {folder}",
            next_step="wait for its end, stop it, or give this run a folder of its own by `data` in conf/<env>/globals.yml",
        )
        self._lock, self._log = lock, _open_log(folder / "run.log")
        core.temporary.sweep_temporary(folder)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Let go of the folder."""
        self._close()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Let go of the folder."""
        self._close()

    def _close(self) -> None:
        lock, log, self._lock, self._log = self._lock, self._log, None, None
        if log:
            logging.getLogger().removeHandler(log)
            log.close()
        if lock:
            lock.free()


class _QuietLog(RotatingFileHandler):
    """A log that a full disk leaves short; whatever else cannot be written stops the run and says so."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        pass


def _open_log(path: Path) -> logging.Handler:
    log = _QuietLog(path, maxBytes=_LOG_BYTES, backupCount=_OLD_LOGS, encoding="utf-8")
    log.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.getLogger().addHandler(log)
    return log


class StoryHooks:
    """The log as the story of a run: each step as it begins, by number and name, and how long it took if it took long."""

    def __init__(self) -> None:
        self._n_nodes, self._number = 0, count(1)
        self._begun: dict[str, float] = {}
        self._begin = 0.0

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Say what is to be done."""
        self._n_nodes, self._number, self._begin = len(pipeline.nodes), count(1), time.monotonic()
        name = "+".join(run_params["pipeline_names"] or ["__default__"])
        logger.info("%s in environment %s: %d steps", name, run_params["env"] or "base", self._n_nodes)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which step begins."""
        self._begun[node.name] = time.monotonic()
        logger.info("%*d/%d %s", len(str(self._n_nodes)), next(self._number), self._n_nodes, node.name)

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Say of a step that took long when it saved what it made: many do their work then, item by item."""
        now = time.monotonic()
        seconds = now - self._begun[node.name]
        if seconds >= _LONG_S:
            self._begun[node.name] = now
            logger.info("%s: %s", node.name, _duration(seconds))

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Say that all is done."""
        logger.info("%d steps done in %s", self._n_nodes, _duration(time.monotonic() - self._begin))


def _duration(seconds: float) -> str:
    """Return a duration for people.

    >>> _duration(3.14), _duration(200.0)
    ('3.1 s', '3 min 20 s')
    """
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"  # noqa: PLR2004


class TrackingHooks:
    """kedro-mlflow's hook, with a child run for each family member.

    A member is the video classifier, a recipe of images or a detector; its nodes bear its name as a tag. They
    write parameters, metrics, artifacts and tags to the child, under names without the namespace, so that MLflow's table
    and charts set members beside each other. What belongs to no member stays with the command's run.

    It stands in for the plugin's own registration (see `settings.py`), and loads MLflow when a session opens, not before.
    """

    def __init__(self) -> None:
        self._plugin: tracking.plugin.MlflowPlugin | None = None
        self._command: tracking.command_run.CommandRun | None = None
        self._catalog: DataCatalog | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Configure MLflow."""
        self._plugin = tracking.plugin.MlflowPlugin()  # type: ignore[no-untyped-call]
        self._plugin.connect(context)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the command's run."""
        assert self._plugin is not None
        self._catalog = catalog
        self._command = self._plugin.begin(run_params, pipeline, catalog, families_in(pipeline))

    @hook_impl
    def before_node_run(self, node: Node, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Log a node's parameters, one MLflow parameter a field, and tell it the id of the run that records it."""
        if not self._command:
            return None
        run_id = self._run_id_of(node)
        for name, value in inputs.items():
            if name.startswith("params:") and name != _RUN_ID:
                full = name.removeprefix("params:")
                own = full.removeprefix(f"{_member(node)}.") if self._is_child(run_id) else full
                self._command.log_params(run_id, tracking.inputs.param_fields(own, value))
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
            dataset._logging_activated = self._command is not None  # noqa: SLF001 - as above
            dataset.run_id = self._run_id_of(node) if self._command else None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """Tell the run which data and weights it made or fetched."""
        dataset = self._mlflow_dataset(dataset_name)
        if dataset:
            if self._command and issubclass(type(dataset), datasets.base.FileDataset):
                tracking.local_artifacts.share_bytes(dataset.run_id, dataset.path, dataset.artifact_path)
            dataset.run_id = None  # with an id, the plugin would load from MLflow instead of from the file
        self._note(dataset_name, data, node)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Close all runs."""
        assert self._plugin is not None
        self._plugin.after_pipeline_run(run_params, pipeline, catalog)
        self.end("FINISHED")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Close all runs as failed.

        The plugin's own way is left out: it raises where no run is open in this thread, over the error.
        """
        self.end("FAILED")

    def end(self, status: str) -> None:
        """Close all runs, if any are open.

        Args:
            status: FINISHED, FAILED or KILLED.
        """
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
        return dataset if hasattr(dataset, "_logging_activated") else None  # the plugin's own switch

    def _note(self, dataset_name: str, data: Any, node: Node) -> None:
        if not self._command:
            return
        run_id = self._run_id_of(node)
        is_child = self._is_child(run_id)
        space, _, noun = dataset_name.rpartition(".")
        if noun == "manifest" and self._command.is_new_input(run_id, dataset_name):
            sha256 = core.tables.data_hash(data)
            tag = "data.sha256" if is_child else dataset_name.replace("manifest", "data.sha256")
            self._command.set_tags(run_id, {tag: sha256})
            if is_child:
                path = self._file_of(dataset_name)
                self._command.log_input(
                    run_id, tracking.inputs.manifest_input(data, name=space, path=path, sha256=sha256)
                )
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
