"""Downloads that give up within seconds where there is no network, and that note the digest a hub announces."""

import re
import threading
import urllib.request
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any

from weld_pipeline.core.errors import WeldError

# What an opener returns: for https a HTTPResponse, for a file of a mirror something else that reads.
Response = Any

_CONNECT_TIMEOUT_S = 10
_CHUNK_BYTES = 1 << 20
# Hugging Face names the SHA-256 of a large file so, in the answer that redirects to where its bytes lie.
_DIGEST_HEADER = "X-Linked-ETag"


class UnreachableError(WeldError):
    """A file is neither on this machine nor to be had from its hub."""


class _KeepDigest(urllib.request.HTTPRedirectHandler):
    """Follows redirects and keeps the first digest announced on the way."""

    def __init__(self) -> None:
        self.digest: str | None = None

    def redirect_request(  # noqa: PLR0917 - the signature is urllib's
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        self.note(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]

    def note(self, headers: Message) -> None:
        """Keep the digest among the headers of an answer, if it is the first."""
        digest = headers.get(_DIGEST_HEADER, "").strip('"').lower()
        if self.digest is None and re.fullmatch(r"[0-9a-f]{64}", digest):
            self.digest = digest


def download(url: str, target: Path, *, label: str, advice: str) -> str | None:
    """Write what lies at an address into a file and return the SHA-256 its hub announces, or None.

    Args:
        advice: What to do where there is no network.

    Raises:
        UnreachableError: If the hub does not answer within seconds.
    """
    keeper = _KeepDigest()
    with _connect(url, keeper, label, advice) as response, target.open("wb") as file:
        keeper.note(response.headers)
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
    return keeper.digest


def _connect(url: str, keeper: _KeepDigest, label: str, advice: str) -> Response:
    # A thread, because the look-up of a host's name obeys no timeout and can hang for a minute on a cut-off machine.
    outcome: list[Response | OSError | HTTPException] = []
    opener = urllib.request.build_opener(keeper)

    def connect() -> None:
        try:
            outcome.append(opener.open(url, timeout=_CONNECT_TIMEOUT_S))
        except (OSError, HTTPException) as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_CONNECT_TIMEOUT_S)
    result = outcome[0] if outcome else TimeoutError(f"no answer in {_CONNECT_TIMEOUT_S} s")
    if isinstance(result, (OSError, HTTPException)):
        raise UnreachableError(f"{label}: {url} cannot be reached ({result}); {advice}") from result
    return result
