"""Kedro's `run` as this project has it: runners, mistakes, stops."""

import os
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import click
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner

from weld_pipeline.cli import project
from weld_pipeline.core.errors import WeldError


def run(callback, **options):
    return project._readable(callback)(**{"runner": None} | options)


@pytest.mark.parametrize("name", ["ParallelRunner", "kedro.runner.ParallelRunner", "Nope", "nope.Nope"])
def test_runner_that_cannot_be_used_names_those_that_can(name):
    with pytest.raises(click.ClickException, match=rf"runner {name}: .*; ThreadRunner runs steps beside each other"):
        run(lambda **options: pytest.fail("nothing is to run"), runner=name)


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (None, None),
        ("SequentialRunner", "SequentialRunner"),
        ("ThreadRunner", "weld_pipeline.runners.ThreadRunner"),
        ("kedro.runner.ThreadRunner", "weld_pipeline.runners.ThreadRunner"),
    ],
)
def test_runner_in_threads_is_ours(asked, used):
    assert run(lambda runner: runner, runner=asked) == used


def names_no_node(**options):
    return Pipeline([Node(len, "a", "b", name="count")]).filter(node_names=["cuont"])


def mistake(**options):
    raise WeldError("folder: empty")


@pytest.mark.parametrize(("callback", "said"), [(names_no_node, "cuont"), (mistake, "folder: empty")])
def test_mistake_is_one_line(callback, said):
    with pytest.raises(click.ClickException, match=said):
        run(callback)


def test_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda **options: 1 / 0)
    node = Node(lambda: int("x"), None, "b", name="broken")
    with pytest.raises(ValueError, match="invalid literal"):
        run(lambda **options: SequentialRunner().run(Pipeline([node]), DataCatalog()))


# Waits in a command to be stopped; in threads, as ThreadRunner waits for its nodes, or by itself.
VICTIM = """
    import signal, sys, time
    # As of a terminal: a shell's background job, and what `nohup` starts, ignore these from the start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    from concurrent.futures import ThreadPoolExecutor
    from types import SimpleNamespace
    from weld_pipeline.cli import project, stops
    stops._GRACE_S = 0.2
    project.settings = SimpleNamespace(HOOKS=(object(), SimpleNamespace(end=lambda status: print("ended", status, flush=True))))
    def callback(runner):
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(time.sleep, 60 if "threads" in sys.argv else 0)
            print("running", flush=True)
            waiting.result()
            time.sleep(60)
    project._readable(callback)(runner=None)
"""


@pytest.mark.parametrize(
    ("how", "mode", "code"),
    [(signal.SIGINT, "alone", 130), (signal.SIGTERM, "threads", 143), (signal.SIGHUP, "alone", 129)],
)
def test_stopped_command_ends_its_runs_as_killed_and_says_so_in_one_line(how, mode, code):
    arguments = [sys.executable, "-c", textwrap.dedent(VICTIM), mode]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "running\n"
        os.kill(process.pid, how)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "ended KILLED\n")
    assert err.startswith("Stopped by ")
    assert err.count("\n") == 1


def test_signal_that_is_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        assert run(lambda runner: os.kill(os.getpid(), signal.SIGHUP)) is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_hooks_that_record_nothing_need_no_end(monkeypatch, capsys):
    monkeypatch.setattr(project, "settings", SimpleNamespace(HOOKS=(object(),)))
    project._end_runs(project.Stopped(signal.SIGTERM))
    assert capsys.readouterr().err.startswith("Stopped by SIGTERM")
