"""Runs of the pipeline on one category after another, each with data of its own, and what they come to."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import yaml  # type: ignore[import-untyped]
from omegaconf import OmegaConf

from weld_pipeline import nn
from weld_pipeline.cli.stops import stops_raise
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_folder, atomic_path, content_key, sha256_file, write_bytes, write_json
from weld_pipeline.report import detector_comparison as anomaly_table
from weld_pipeline.tracking.database import whole_database
from weld_pipeline.tracking.experiment import open_experiment

_REPORT = Path("data/08_reporting/categories")
_SQLITE = "sqlite:///"
_MEASURES = ("image_auroc", "pixel_auroc", "aupro")
_PACKAGE = Path(__file__).parents[1]


def category_names(root: Path, chosen: Sequence[str]) -> list[str]:
    """Return the categories of a folder in order: those chosen, or all its folders.

    Raises:
        WeldError: If there is no such folder, none in it, or one whose path `kedro run --params` would take for two.
    """
    if not root.is_dir():
        raise WeldError(f"categories {root}: no such folder; name the one that holds a folder a category")
    found = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if missing := [name for name in chosen if name not in found]:
        raise WeldError(f"categories {root}: {missing[0]!r} is not there, only {', '.join(found) or 'nothing'}")
    if not found:
        raise WeldError(f"categories {root}: holds no folder; name the one above the categories")
    names = list(chosen) or found
    if comma := next((root / name for name in names if "," in str(root / name)), None):
        raise WeldError(f"category {comma}: kedro's --params parts values at commas; rename that folder")
    return names


def data_of(name: str) -> Path:
    """Return the data folder of a category, relative to the project."""
    return Path("data") / "categories" / name


@dataclass(frozen=True)
class CategoryRun:
    """One category to be run.

    Attributes:
        source: Folder of the category's images.
        params: As for `kedro run --params`.
    """

    project: Path
    source: Path
    pipeline: str
    params: str
    env: str

    @property
    def folder(self) -> Path:
        """Return where everything made of the category lies."""
        return self.project / data_of(self.source.name)

    @property
    def is_finished(self) -> bool:
        """Return whether it was run to its end with these images, weights, parameters, configuration and code."""
        path = self.folder / "finished.json"
        return path.is_file() and json.loads(path.read_text()) == {"key": self._key()}

    def run(self) -> bool:
        """Run it and return whether that went well; its messages go where ours go."""
        key, conf = self._key(), self._own_configuration()  # before the run: what changes meanwhile was not run
        (self.folder / "finished.json").unlink(missing_ok=True)
        params = ",".join([f"anomaly_detector.source_root={self.source}", *([self.params] if self.params else [])])
        # The console script lies beside the interpreter; `-m kedro` would put the working directory first on its path.
        kedro = Path(sys.executable).with_name("kedro")
        command = [str(kedro), "run", f"--pipeline={self.pipeline}", f"--env={self.env}"]
        code = _run([*command, f"--conf-source={conf}", f"--params={params}"], self.project)
        if code == 0:
            write_json(self.folder / "finished.json", {"key": key})
        return code == 0

    def _key(self) -> str:
        conf = [path for folder in self._configurations() for path in folder.rglob("*.yml")]
        code = [*_PACKAGE.rglob("*.py"), *_PACKAGE.rglob("*.j2")]
        asked = [str(self.source), self.pipeline, self.params, self.env]
        return content_key(asked, _digests(code), _digests(conf), _listing(self.source), self._weights())

    def _configurations(self) -> list[Path]:
        """Return what `kedro run --env` reads; `local`, where credentials lie, only if it is asked for."""
        return [self.project / "conf" / name for name in dict.fromkeys(("base", self.env))]

    def _weights(self) -> list[list[Any]]:
        """Return what tells that pretrained weights came, went or changed, in their folder, named, or in a package."""
        settings = yaml.safe_load((self.project / "conf" / "base" / "globals.yml").read_text())
        values = [Path(part.partition("=")[2]) for part in self.params.split(",")]
        named = [(value, value.stat()) for value in values if value.is_file()]
        packaged = [[name, package.find() is not None] for name, package in nn.weights.packages.PACKAGES.items()]
        return (
            _listing(self.project / settings["pretrained"]) + [_state(value, stat) for value, stat in named] + packaged
        )

    def _own_configuration(self) -> Path:
        """Return a copy of the configuration whose data lie in the category's folder."""
        copy = self.folder / "conf"
        with atomic_folder(copy) as temporary:
            for folder in self._configurations():
                if folder.is_dir():
                    shutil.copytree(folder, temporary / folder.name)
            for path in (self.project / "conf").glob("*.yml"):
                shutil.copy(path, temporary)
            given = (temporary / "base" / "globals.yml").read_text()
            own = "\n".join(line for line in given.splitlines() if not line.startswith("data:"))
            write_bytes(temporary / "base" / "globals.yml", f"{own}\ndata: {data_of(self.source.name)}\n".encode())
        return copy


def _run(command: Sequence[str], folder: Path) -> int:
    """Run a command and return its exit code; it is asked to stop, and may end its MLflow runs, when this one is."""
    with stops_raise(), subprocess.Popen(command, cwd=folder) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise


def _digests(files: Sequence[Path]) -> list[list[str]]:
    return [[str(path), sha256_file(path)] for path in sorted(files)]


def _listing(folder: Path) -> list[list[Any]]:
    """Return name, size and time of every file: what tells cheaply that one came, went or changed."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [_state(path.relative_to(folder), path.stat()) for path in files]


def _state(name: Path, stat: os.stat_result) -> list[Any]:
    return [str(name), stat.st_size, stat.st_mtime_ns]


def report(records: Sequence[Mapping[str, Any]], project: Path, *, env: str) -> str:
    """Write the comparison of all categories, log it to MLflow, a child run a row, and return it as Markdown.

    Args:
        records: `anomaly_metrics` of each category and detector.
        env: Environment, which may name an experiment of its own.
    """
    folder = project / _REPORT
    table = anomaly_table.comparison_table(records)
    text = anomaly_table.as_markdown(table)
    write_bytes(folder / "comparison.csv", table.to_csv(index=False).encode())
    write_bytes(folder / "comparison.md", text.encode())
    with atomic_path(folder / "comparison.png") as temporary:
        anomaly_table.comparison_figure(table).savefig(temporary, format="png")
    _log(table.to_dict("records"), folder, project, env)
    return text


def _log(rows: Sequence[Mapping[Any, Any]], folder: Path, project: Path, env: str) -> None:
    files = [project / "conf" / name / "mlflow.yml" for name in ("base", env)]
    settings = OmegaConf.merge(*(OmegaConf.load(path) for path in files if path.is_file()))
    uri, experiment = settings.server.mlflow_tracking_uri, settings.tracking.experiment
    if uri.startswith(_SQLITE):  # a relative one means the project, wherever this is called from
        uri = f"{_SQLITE}{project / uri.removeprefix(_SQLITE)}"
    mlflow.set_tracking_uri(uri)
    with whole_database(uri):
        open_experiment(experiment.name, experiment.create_experiment_kwargs.tags)
    with mlflow.start_run(run_name="categories"):
        for row in rows:
            measured = {name: float(row[name]) for name in _MEASURES if not pd.isna(row[name])}
            tags = {"family": "anomaly_detector", "member": row["detector"], "category": row["category"]}
            with mlflow.start_run(run_name=f"{row['detector']} {row['category']}", nested=True, tags=tags):
                mlflow.log_metrics(measured)
        mlflow.log_artifacts(str(folder))
