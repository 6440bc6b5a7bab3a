"""Processes that answer jobs: one JSON object a line, the same way for ours and for the peer's."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from weld_pipeline.core.errors import WeldError

# glibc's malloc gives every block above 32 MiB back to the system and asks for it anew. So tuned, it keeps them.
TUNED_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "2000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "100000000",
}
# And so it treats smaller ones like those; see `benchmarks.anomalib` for why.
LARGE_BLOCKS_MAPPED = {"MALLOC_MMAP_THRESHOLD_": "4194304"}


class Worker:
    """A process that keeps what a job made for the next one."""

    def __init__(
        self, command: Sequence[str | Path], *, n_threads: int, log: Path, malloc: Mapping[str, str] | None = None
    ) -> None:
        """Start it; what it prints goes to the end of `log`."""
        self._log = log
        environment = {**os.environ, "OMP_NUM_THREADS": str(n_threads), "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}
        environment |= malloc or {}
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
        self.about = self.ask("threads", n=n_threads)

    def ask(self, task: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to one job.

        Raises:
            WeldError: If the process ended over it.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise WeldError("a worker without pipes cannot be asked")
        self._process.stdin.write(json.dumps({"task": task, **arguments}, default=str) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            last = self._log.read_text(errors="replace")[-2000:]
            raise WeldError(f"the worker ended over {task!r}; its last words:\n{last}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        """Return the running worker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it end."""
        self._process.communicate()


def peer_python(folder: Path, requirements: Sequence[str]) -> Path:
    """Return the interpreter of an environment with these packages; make it first if it is not there.

    Args:
        folder: Where it is kept from one run to the next.
        requirements: As `uv pip install` takes them.

    Raises:
        WeldError: If it cannot be made.
    """
    python, done = folder / "bin" / "python", folder / "complete.json"
    if done.is_file() and json.loads(done.read_text()) == list(requirements):
        return python
    uv = Path(sys.executable).with_name("uv")
    commands: list[list[str | Path]] = [
        [uv, "venv", "--clear", "--python", sys.executable, folder],
        [uv, "pip", "install", "--python", python, *requirements],
    ]
    for command in commands:
        ended = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True)
        if ended.returncode:
            raise WeldError(f"the peer's environment {folder} could not be made:\n{ended.stderr[-2000:]}")
    done.write_text(json.dumps(list(requirements)))
    return python
