"""Records: a verdict kept as a file of its own beside the others."""

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.verdicts import Inspected


def store_verdict(folder: Path, verdict: Inspected, bundle: Bundle, *, overlay: bytes | None = None) -> Path:
    """Return the new file `<name>_<timestamp>.json`, which holds the verdict, its time and the bundle's identity.

    The timestamp is UTC to the microsecond, so that names sort by time. The file is whole or not there, and a file
    that is there already stays: the new one takes a later moment.

    Args:
        folder: Made if it is not there.
        verdict: On a file or its bytes.
        bundle: What judged.
        overlay: A PNG to keep beside it as `<name>_<timestamp>_overlay.png`, which is there once the JSON is.

    Raises:
        WeldError: If the folder cannot be written to.
    """
    assert verdict.path is not None  # an array has no name to store it under
    fields = {name: value for name, value in verdict.to_json().items() if name != "timing"}
    source = Path(verdict.path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            now = datetime.now(UTC)
            record = {"name": source.name, "timestamp": now.isoformat(), **fields, "bundle": bundle.identity()}
            path = folder / f"{source.stem}_{now:%Y%m%dT%H%M%S.%f}Z.json"
            drawn = path.with_name(f"{path.stem}_overlay.png")
            if overlay is not None:
                record["overlay"] = drawn.name
                if not _write_new(drawn, overlay):
                    continue
            text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            if _write_new(path, text.encode()):
                return path
            if overlay is not None:
                drawn.unlink()
    except OSError as error:
        raise WeldError(
            f"store {folder}: the verdict on {source.name} cannot be written ({error.strerror}); name another folder"
        ) from error


def _write_new(path: Path, content: bytes) -> bool:
    """Return whether `path` was free; if so it now holds all of `content`."""
    handle, name = tempfile.mkstemp(prefix=".verdict.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        os.link(name, path)  # unlike a rename, it never takes the place of another file
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True
