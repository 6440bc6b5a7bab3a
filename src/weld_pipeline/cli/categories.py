"""`weld categories`: the anomaly detectors on one category after another, and one table at the end."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from weld_pipeline import cli
from weld_pipeline.cli.output import print_rich
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.lock import FileLock


def categories(
    root: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds a folder of images a category.")],
    *,
    category: Annotated[
        list[str] | None, typer.Option("--category", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    pipeline: Annotated[
        str, typer.Option(metavar="NAME", help="anomaly_detector for all detectors, or one by its name.")
    ] = "anomaly_detector",
    params: Annotated[
        str, typer.Option(metavar="KEY=VALUE,…", help="As for kedro run: patchcore.fit.coreset_size=1000,…")
    ] = "",
    env: Annotated[str, typer.Option(metavar="NAME", help="Environment of conf/, beside base.")] = "base",
    project: Annotated[Path, typer.Option(metavar="DIR", help="Folder of this project.")] = Path(),
    again: Annotated[bool, typer.Option("--again", help="Run categories that are finished, too.")] = False,
) -> None:
    """Fit and measure the anomaly detectors on every category of a folder, then set them beside each other.

    Each category is one `kedro run` with data of its own under data/categories/<category>, so nothing is overwritten. A
    category finished with the same images, weights, parameters and code is not run again; one that fails is named and
    left out. conf/local is read only with --env=local.

    Result: data/08_reporting/categories/comparison.csv, .md and .png, and an MLflow run named categories.

    Exit code: 0 all categories are in the table; 2 some are not.
    """
    base = project.resolve()
    if not (base / "conf" / "base" / "globals.yml").is_file():
        raise WeldError(
            f"project {base}: conf/base/globals.yml is not there; go to the project's folder, or name it with --project"
        )
    root = root.resolve()
    names = cli.category_runs.category_names(root, category or [])
    lock = FileLock(base / "data" / "categories" / ".run.lock")
    lock.take(thing=f"categories of {base}", next_step="wait for its end or stop it")
    failed = []
    for name in names:
        run = cli.category_runs.CategoryRun(base, root / name, pipeline=pipeline, params=params, env=env)
        if run.is_finished and not again:
            print_rich(f"{name}: finished before, kept")
        elif not run.run():
            failed.append(name)
    found = {name: _records(base, name, pipeline) for name in names if name not in failed}
    failed += [name for name, of_category in found.items() if not of_category]
    records = [record for of_category in found.values() for record in of_category]
    if records:
        typer.echo(cli.category_runs.report(records, base, env=env))  # rich would break the rows of the table
    lock.free()
    if failed:
        raise WeldError(
            f"categories {', '.join(failed)} left no measures of {pipeline}, see their messages above; the table is without them"
        )


def _records(base: Path, name: str, pipeline: str) -> list[dict[str, Any]]:
    """Return what was measured of the detectors that were asked for, their latency included."""
    folder = base / cli.category_runs.data_of(name)
    detector = "*" if pipeline == "anomaly_detector" else pipeline
    found = []
    for path in sorted(folder.glob(f"08_reporting/{detector}/anomaly_metrics.json")):
        timing = folder / "09_delivery" / path.parent.name / "timing.json"
        latency = json.loads(timing.read_text())["ms"]["total"] if timing.is_file() else None
        found.append(json.loads(path.read_text()) | {"category": name, "latency_ms": latency})
    return found
