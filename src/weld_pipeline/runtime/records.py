"""Records: a verdict kept as a file of its own beside the others."""

import json
from datetime import UTC, datetime
from pathlib import Path

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import write_new
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
        while True:
            now = datetime.now(UTC)
            record = {"name": source.name, "timestamp": now.isoformat(), **fields, "bundle": bundle.identity()}
            path = folder / f"{source.stem}_{now:%Y%m%dT%H%M%S.%f}Z.json"
            drawn = path.with_name(f"{path.stem}_overlay.png")
            if overlay is not None:
                record["overlay"] = drawn.name
                if not write_new(drawn, overlay):
                    continue
            text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            if write_new(path, text.encode()):
                return path
            if overlay is not None:
                drawn.unlink()
    except OSError as error:
        raise WeldError(
            f"store {folder}: the verdict on {source.name} cannot be written ({error.strerror}); name another folder"
        ) from error
