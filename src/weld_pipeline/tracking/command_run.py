"""Command run: the MLflow run of one command, and one child of it for each family member."""

import atexit
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock

import mlflow
from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Param, RunStatus, RunTag
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

_HOST, _PID = "process.host", "process.pid"


@dataclass
class CommandRun:
    """The run of one command and its children.

    Every write names its run, because nodes may run in any thread and MLflow's active run belongs to one thread.

    Attributes:
        families: Family of each member that may get a child, by the member's name.
        tags: Tags that every child repeats, so that a child alone tells which code and environment made it.
        is_ours: False if another program opened the command's run and will close it.
    """

    run_id: str
    experiment_id: str
    families: Mapping[str, str]
    tags: Mapping[str, str]
    is_ours: bool = True
    _client: MlflowClient = field(default_factory=MlflowClient)
    _children: dict[str, str] = field(default_factory=dict)
    _written: set[tuple[str, ...]] = field(default_factory=set)
    _lock: RLock = field(default_factory=RLock)

    def begin(self) -> None:
        """Tag the run with the process that writes it, and see to it that this process ends it.

        MLflow itself would call a run FINISHED that was left by Ctrl-C.
        """
        if self.is_ours:
            self.set_tags(self.run_id, dict(self.tags) | _process())
        atexit.register(self.end, "KILLED")

    def run_of(self, member: str | None) -> str:
        """Return the run that records a member, opened when it is first asked for; the command's own for all else."""
        if member is None or member not in self.families:
            return self.run_id
        with self._lock:
            if member not in self._children:
                own = {MLFLOW_PARENT_RUN_ID: self.run_id, "family": self.families[member], "member": member}
                tags = resolve_tags(dict(self.tags) | _process() | own)
                run = self._client.create_run(self.experiment_id, tags=tags, run_name=member)
                self._children[member] = run.info.run_id
            return self._children[member]

    def set_tags(self, run_id: str, tags: Mapping[str, object]) -> None:
        """Tag one of the runs."""
        self._client.log_batch(run_id, tags=[RunTag(name, str(value)) for name, value in tags.items()])

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Log parameters to one of the runs; those that several nodes share are written once."""
        new = [Param(name, value) for name, value in params.items() if self._is_new("param", run_id, name, value)]
        self._client.log_batch(run_id, params=new)

    def is_new_input(self, run_id: str, name: str) -> bool:
        """Return whether a run has not been told of this input yet, which costs a hash of it."""
        return self._is_new("input", run_id, name)

    def log_input(self, run_id: str, dataset: DatasetInput) -> None:
        """Log what a run read."""
        self._client.log_inputs(run_id, datasets=[dataset])

    def end(self, status: str) -> None:
        """End the children and, if it is ours, the command's own run.

        Args:
            status: FINISHED, FAILED or KILLED.
        """
        atexit.unregister(self.end)
        for child in self._children.values():
            self._client.set_terminated(child, status)
        if self.is_ours:
            while mlflow.active_run():  # of this thread, which need not be the one that opened it
                mlflow.end_run(status)
            self._client.set_terminated(self.run_id, status)

    def _is_new(self, *key: str) -> bool:
        with self._lock:
            is_new = key not in self._written
            self._written.add(key)
            return is_new


def end_abandoned(experiment: str) -> None:
    """End as KILLED the runs of an experiment that a process on this machine left open when it died."""
    if os.name != "posix":  # signal 0 asks whether a process lives; elsewhere it would end it
        return
    mine = f"attributes.status = 'RUNNING' and tags.`{_HOST}` = '{socket.gethostname()}'"
    for run in mlflow.search_runs(experiment_names=[experiment], filter_string=mine, output_format="list"):
        if not _is_another_alive(int(run.data.tags[_PID])):
            MlflowClient().set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))


def _process() -> dict[str, str]:
    return {_HOST: socket.gethostname(), _PID: str(os.getpid())}


def _is_another_alive(pid: int) -> bool:
    """Return whether a process lives that is not this one; a container gives the same number again and again."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it lives
        return True
    return True
