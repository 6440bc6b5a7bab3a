"""Lock: who holds it is named, and who crashed holds nothing."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.lock import FileLock

HOLDER = """
import sys, time
from pathlib import Path
from weld_pipeline.core.lock import FileLock
sys.argv = ["/somewhere/kedro", "run", "--pipeline=patchcore", "--params=key=secret"]
lock = FileLock(Path({path!r}))
lock.take(thing="shop", next_step="wait")
print("held", flush=True)
time.sleep(300)
"""


def take(path):
    lock = FileLock(path)
    lock.take(thing="shop /data", next_step="wait for its end")
    return lock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "not_there_yet" / ".run.lock"


def test_second_process_is_told_who_works_there_and_a_crashed_one_holds_nothing(path):
    with subprocess.Popen([sys.executable, "-c", HOLDER.format(path=str(path))], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        try:
            with pytest.raises(WeldError) as refused:
                take(path)
        finally:
            os.kill(holder.pid, signal.SIGKILL)
    assert re.fullmatch(
        rf"shop /data: process {holder.pid} on \S+ \(`kedro run --pipeline=patchcore '--params=…'`, "
        r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+.*\) works in it; wait for its end",
        str(refused.value),
    )
    lock = take(path)
    assert json.loads(path.read_text())["pid"] == os.getpid()
    lock.free()


def test_freed_lock_can_be_taken_again_and_its_file_stays(path):
    take(path).free()
    second = take(path)
    with pytest.raises(WeldError, match="works in it"):
        take(path)
    second.free()
    assert path.exists()


def test_holder_that_has_not_said_who_it_is_is_another_process(path):
    lock = take(path)
    path.write_text("")
    with pytest.raises(WeldError, match="another process works in it"):
        take(path)
    lock.free()
