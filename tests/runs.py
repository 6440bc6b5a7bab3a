"""Runs of a copy of the project, by the commands a user types."""

import shutil
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def copy_project(root, folder):
    """Copy what a run needs, bytecode included but for that of checked shapes; the data are the copy's own."""
    for name in ("conf", "notebooks", "src"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("*jaxtyping*"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(root / name, folder / name)
    (folder / "data" / "01_raw").mkdir(parents=True)
    return folder


def copy_with_raw_files(root, finished, folder):
    """Copy the project with the raw files of a finished one, in which nothing was run."""
    project = copy_project(root, folder)
    (project / "data" / "01_raw").rmdir()
    (project / "data" / "01_raw").symlink_to(finished / "data" / "01_raw")
    return project


def copy_layers(finished, project, *layers):
    """Copy what a run left in some layers of its data."""
    for layer in layers:
        shutil.copytree(finished / "data" / layer, project / "data" / layer)


def command(project, name, *arguments, **options):
    return subprocess.run(
        [str(BIN / name), *arguments], cwd=project, capture_output=True, text=True, check=False, **options
    )


def kedro_run(project, *arguments):
    done = command(project, "kedro", "run", "--env=test", *arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done
