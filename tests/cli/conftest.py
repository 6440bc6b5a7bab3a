"""The command line in this process, and bundles so small that they need no training, as in the tests of the runtime."""

import pytest
from typer.testing import CliRunner

from tests.runtime.conftest import *  # noqa: F403 - pytest finds fixtures by their names
from weld_pipeline.cli import app


@pytest.fixture
def weld(monkeypatch):
    """Run `weld` with some arguments."""
    monkeypatch.setenv("COLUMNS", "250")  # a path of a test is long, and is not to be folded

    def run(*arguments, **options):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)

    return run
