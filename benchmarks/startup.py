"""`kedro registry list` here, against the same command in an empty project with the same plugins."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Row, main, row, timed

_ALLOWED_EXTRA_S = 3.0


def compare(quick: bool) -> Sequence[Row]:
    """Return one row: seconds of the command; the target ratio is what the allowed extra seconds come to."""
    repeats = 3 if quick else 7
    with tempfile.TemporaryDirectory() as folder:
        empty = _empty_project(Path(folder))
        for project in (Path.cwd(), empty):
            _list_pipelines(project)  # warm the file cache
        ours = timed(lambda: _list_pipelines(Path.cwd()), repeats=repeats)
        peer = timed(lambda: _list_pipelines(empty), repeats=repeats)
    return [
        row(
            "kedro registry list, against an empty project",
            ours=ours,
            peer=peer,
            unit="s",
            target=round(peer / (peer + _ALLOWED_EXTRA_S), 3),
        )
    ]


def _list_pipelines(project: Path) -> None:
    command = [str(Path(sys.executable).parent / "kedro"), "registry", "list"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)


def _empty_project(folder: Path) -> Path:
    package = folder / "src" / "empty"
    package.mkdir(parents=True)
    (folder / "conf" / "base").mkdir(parents=True)
    (folder / "conf" / "local").mkdir()
    (folder / ".telemetry").write_text("consent: false\n")
    (folder / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "empty"\nproject_name = "empty"\n'
        'kedro_init_version = "1.7.0"\nsource_dir = "src"\n'
    )
    (package / "__init__.py").touch()
    (package / "settings.py").touch()
    (package / "pipeline_registry.py").write_text(
        "from kedro.pipeline import Pipeline\n\n\ndef register_pipelines():\n    return {'__default__': Pipeline([])}\n"
    )
    return folder


if __name__ == "__main__":
    main(__doc__.splitlines()[0] if __doc__ else "", compare)
