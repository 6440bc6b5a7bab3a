"""Screen: the story of a run without the chatter of libraries, and no second of imports for nothing."""

import logging
import subprocess
import sys

import click
import pytest
from rich.console import Console
from rich.logging import RichHandler

from weld_pipeline import screen


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """What a logger's record becomes on a screen that is no terminal."""
    root = logging.getLogger()
    path = tmp_path / "screen"
    with path.open("w") as file:
        monkeypatch.setattr(root, "handlers", [RichHandler(console=Console(file=file))])
        screen.show_the_story()

        def lines(name, level, text):
            root.handle(logging.LogRecord(name, level, "", 0, text, (), None))
            return path.read_text()

        yield lines


@pytest.mark.parametrize(
    ("name", "level", "is_shown"),
    [
        ("weld_pipeline.hooks", logging.INFO, True),
        ("kedro.io.data_catalog", logging.INFO, False),
        ("kedro.io.data_catalog", logging.WARNING, True),
        ("kedro_mlflow.framework.hooks.mlflow_hook", logging.INFO, False),
        ("kedro_mlflow.framework.hooks.mlflow_hook", logging.WARNING, True),
        ("kedro.pipeline.node", logging.ERROR, False),
        ("weld_pipeline.runners", logging.INFO, False),
        ("kedro.runner.sequential_runner", logging.WARNING, False),
        ("py.warnings", logging.WARNING, True),
    ],
)
def test_screen_shows_what_is_ours_and_others_warnings(shown, name, level, is_shown):
    text = "a message that is long enough to be broken in a column of a terminal, where it is one"
    assert (f"{text}\n" in shown(name, level, text)) is is_shown


def test_terminal_keeps_its_colours(monkeypatch):
    handler = RichHandler(console=Console(force_terminal=True))
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    screen.show_the_story()
    assert logging.getLogger().handlers == [handler]
    assert handler.filters


def test_commands_of_the_plugin_are_there_when_they_are_asked_for(monkeypatch):
    monkeypatch.delitem(sys.modules, screen._MLFLOW_COMMANDS, raising=False)
    screen.load_mlflow_commands_late()
    stand_in = sys.modules[screen._MLFLOW_COMMANDS]
    assert not hasattr(stand_in, "__file__"), "whoever goes through all modules does not load it"
    context = click.Context(stand_in.commands)
    assert stand_in.commands.get_command(context, "run") is None
    assert sys.modules[screen._MLFLOW_COMMANDS] is stand_in
    assert stand_in.commands.get_command(context, "mlflow").name == "mlflow"
    assert hasattr(sys.modules[screen._MLFLOW_COMMANDS], "__file__")
    assert callable(stand_in.write_jinja_template)


def test_help_of_weld_and_list_of_pipelines_load_no_mlflow_torch_or_matplotlib(project_root):
    heavy = (
        "{'mlflow', 'torch', 'torchvision', 'lightning', 'matplotlib', 'kedro_datasets', 'onnxruntime', 'av', 'cv2'}"
    )
    for command in (
        "from kedro.framework.cli.cli import main; sys.argv = ['kedro', 'registry', 'list']",
        "from weld_pipeline.cli import app as main; sys.argv = ['weld', '--help']",
    ):
        script = f"import sys\n{command}\ntry:\n    main()\nexcept SystemExit:\n    print(sorted({heavy} & set(sys.modules)))"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=project_root
        )
        assert done.stdout.splitlines()[-1] == "[]", command
