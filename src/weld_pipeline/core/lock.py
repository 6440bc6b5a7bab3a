"""Lock: a file that one process at a time holds; the system frees it when its holder ends, however it ends."""

import errno
import fcntl
import json
import logging
import os
import shlex
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import IO

from weld_pipeline.core.errors import WeldError

logger = logging.getLogger(__name__)

# A file system that knows no locks, such as some network mounts.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class FileLock:
    """A lock that is held from `take` to `free`, or to the end of the process.

    The file stays when the lock is freed: removing it would let two processes hold two files of one name. A holder that
    crashed holds nothing, whatever the file says.
    """

    def __init__(self, path: Path) -> None:
        """Name the file of the lock; it and its folder are made when the lock is taken."""
        self.path = path
        self._file: IO[str] | None = None

    def take(self, *, thing: str, next_step: str) -> None:
        """Take the lock and write who holds it into its file.

        Args:
            thing: Subject of the error, such as `data folder /shop/data`.
            next_step: What to do while another process holds it.

        Raises:
            WeldError: If another process holds it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = _holder(file.read())
            file.close()
            raise WeldError(f"{thing}: {holder} works in it; {next_step}") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            logger.warning("%s cannot be locked on this file system; see to it that no second run uses it", thing)
        file.truncate(0)
        file.write(json.dumps(_this_process()))
        file.flush()
        self._file = file

    def wait(self) -> None:
        """Take the lock as soon as no other process holds it, which it does for seconds only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    def free(self) -> None:
        """Let go of the lock, if it is held."""
        file, self._file = self._file, None
        if file:
            file.close()


def _this_process() -> dict[str, str | int]:
    hidden = [
        "--params=…" if part.startswith("--params=") else part for part in sys.argv[1:]
    ]  # a value may be a secret
    command = shlex.join([Path(sys.argv[0]).name, *hidden])
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": since}


def _holder(text: str) -> str:
    try:
        who = json.loads(text)
    except ValueError:  # it took the lock a moment ago and has not yet said who it is
        return "another process"
    return f"process {who['pid']} on {who['host']} (`{who['command']}`, since {who['since']})"
